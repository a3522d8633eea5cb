// Bundles each widget into one file that needs nothing from the network: kimi_nb/static/.
import { build } from "esbuild";
import { existsSync } from "node:fs";

const entries = ["swarm", "predict", "playground"].filter((name) => existsSync(`src/${name}.ts`));

await build({
  entryPoints: entries.flatMap((name) => [`src/${name}.ts`, `src/${name}.css`]),
  outdir: "../kimi_nb/static",
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2023",
  legalComments: "none",
  logLevel: "warning",
});
