// contentful-management, its current major version and the one before.

import * as v12 from "contentful-management";
import v11 from "contentful-management-11";

import { serve } from "../driver.mjs";

async function iterated(library, list, params) {
  const items = [];
  for await (const item of library.asIterator(list, params)) items.push(item);
  return items;
}

const door = (library) => ({
  createClient: library.createClient,
  fetchAll: (client, params) => library.fetchAll(client.asset.getMany, params),
  iterate: (client, params) => iterated(library, client.asset.getMany, params),
});

serve({ 11: door(v11), 12: door(v12) });
