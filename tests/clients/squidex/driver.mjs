// @squidex/squidex: its one class.

import squidex from "@squidex/squidex";

import { serve } from "../driver.mjs";

serve({ client: (options) => new squidex.SquidexClient(options) });
