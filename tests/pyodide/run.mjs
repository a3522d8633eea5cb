// node run.mjs PYODIDE SCRIPT FOLDER…: run a Python script in Pyodide, with these packages.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";

const [pyodide, script, ...packages] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(join(pyodide, "pyodide.mjs")).href);
const python = await loadPyodide({ stdout: console.log, stderr: console.error });
const site = python.runPython("import site; site.getsitepackages()[0]");

function copy(from, to) {
  if (statSync(from).isFile()) {
    python.FS.writeFile(to, readFileSync(from));
    return;
  }

  python.FS.mkdirTree(to);

  for (const name of readdirSync(from).filter((name) => name !== "__pycache__")) {
    copy(join(from, name), `${to}/${name}`);
  }
}

for (const path of packages) {
  copy(path, `${site}/${basename(path)}`);
}

await python.runPythonAsync(readFileSync(script, "utf8"));
