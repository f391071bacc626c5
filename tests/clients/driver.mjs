// Runs calls of a client library for a test in Python: a JSON object a line on stdin, its answer a line on stdout.
//
//   {"on": 0, "path": "assets.getAsset", "args": ["id"]}   calls it; a path that names no function is read
//   {"on": 4, "path": "fields.title", "set": {…}}          assigns
//   -> {"ref": 5, "value": {…}}                            `on: 5` speaks to that result from now on; 0 is the door
//   -> {"error": {"kind", "name", "status", "message", "body"}}
//
// What JSON has no form for goes as {"$bytes"}, {"$stream"}, {"$file"}, {"$blob"} (base64) and {"$ref"}.

import { createInterface } from "node:readline";
import { Readable } from "node:stream";

console.log = console.info = console.error; // stdout is the wire

const bytesOf = (base64) => Buffer.from(base64, "base64");
const PIECE = 64 * 1024; // what a stream yields at once

function* pieces(bytes) {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

const FORMS = {
  $bytes: (form) => bytesOf(form.$bytes),
  $arrayBuffer: (form) => Uint8Array.from(bytesOf(form.$arrayBuffer)).buffer,
  $stream: (form) => Readable.from(pieces(bytesOf(form.$stream)), { objectMode: false }),
  $file: (form) => new File([bytesOf(form.$file)], form.name, { type: form.type }),
  $blob: (form) => new Blob([bytesOf(form.$blob)], { type: form.type }),
  $undefined: () => undefined,
};

export function serve(door) {
  const refs = [door];

  function decoded(value) {
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map(decoded);
    if ("$ref" in value) return refs[value.$ref];
    const form = Object.keys(FORMS).find((name) => name in value);
    if (form) return FORMS[form](value);
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, decoded(inner)]));
  }

  async function encoded(value) {
    if (value instanceof Blob) return { $bytes: Buffer.from(await value.arrayBuffer()).toString("base64"), type: value.type };
    if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") };
    return typeof value === "function" ? null : value ?? null;
  }

  async function run({ on, path, args = [], set }) {
    const names = path.split(".");
    const last = names.pop();
    const holder = names.reduce((object, name) => object[name], refs[on]);
    if (set !== undefined) return (holder[last] = decoded(set));
    return typeof holder[last] === "function" ? holder[last](...args.map(decoded)) : holder[last];
  }

  async function answer(command) {
    try {
      const result = await run(command);
      const answered = JSON.stringify({ ref: refs.length, value: await encoded(result) });
      refs.push(result);
      return answered;
    } catch (error) {
      const { name, message, body } = error;
      return JSON.stringify({ error: { kind: error.constructor.name, name, status: error.status ?? error.statusCode, message, body } });
    }
  }

  createInterface({ input: process.stdin })
    .on("line", async (line) => process.stdout.write((await answer(JSON.parse(line))) + "\n"))
    .on("close", () => process.exit());
}
