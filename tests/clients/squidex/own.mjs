// Runs tests of @squidex/squidex as they were published, unmodified: TypeScript, written for Jest, with the package's sources at its root.
// Arguments: the names of the files. Node's runner and Jest's `expect` stand in for Jest.

import { readFileSync } from "node:fs";
import Module, { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";

import { expect } from "expect";
import { transform } from "sucrase";

const OUTSIDE = ["should upload and fetch asset from url"]; // it wants a file of the Internet

const require = createRequire(import.meta.url);
const home = dirname(require.resolve("@squidex/squidex/package.json"));

const resolve = Module._resolveFilename;
Module._resolveFilename = (name, ...rest) => resolve(name.startsWith("../src") ? join(home, name.slice("../src".length), "/") : name, ...rest);

Module._extensions[".ts"] = (module, path) =>
  module._compile(transform(readFileSync(path, "utf8"), { transforms: ["typescript", "imports"] }).code, path);

const one = (name, run) => it(name, { skip: OUTSIDE.includes(name), timeout: 30_000 }, run);
Object.assign(globalThis, { describe, it: one, expect });

process.chdir(home);
for (const name of process.argv.slice(2)) require(join(home, "tests", name));
