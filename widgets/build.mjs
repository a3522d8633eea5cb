// Bundles each widget into one file that needs nothing from the network: kimi_nb/static/.

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";

process.chdir(import.meta.dirname);
const IN_PACKAGE = /^node_modules\/(@[^/]+\/)?[^/]+/;
const target = "../kimi_nb/static";
const entries = ["swarm", "training", "predict", "quiz", "playground"];

const { outputFiles, metafile } = await build({
  entryPoints: entries.flatMap((name) => [`src/${name}.ts`, `src/${name}.css`]),
  outdir: target,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2023",
  legalComments: "none", // LICENSES.txt has them whole
  logLevel: "warning",
  metafile: true,
  write: false,
}).catch((error) => {
  if (error.errors === undefined) {
    throw error;
  }

  process.exit(1); // esbuild has said what is wrong in a source
});

/** The licences of what was bundled, which want to travel with it. */
function licences() {
  const folders = Object.keys(metafile.inputs).map((path) => IN_PACKAGE.exec(path)?.[0]);
  const texts = [...new Set(folders)].filter(Boolean).map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
    const text = readFileSync(`${folder}/LICENSE`, "utf8").trim();
    return `${name} ${version}, ${license}\n\n${text}\n`;
  });
  const head = "The files beside this one contain these packages, each under its own licence:\n";
  return [head, ...texts].join(`\n${"-".repeat(80)}\n\n`);
}

// Written beside and then renamed: a page that loads meanwhile sees the old file or the new one.
const files = new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
files.set("LICENSES.txt", licences());
mkdirSync(target, { recursive: true });

for (const [name, contents] of files) {
  writeFileSync(join(target, `${name}.new`), contents);
  renameSync(join(target, `${name}.new`), join(target, name));
}

for (const name of readdirSync(target)) {
  if (!files.has(name)) {
    rmSync(join(target, name), { recursive: true });
  }
}
