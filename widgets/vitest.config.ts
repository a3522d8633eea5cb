import { defineConfig } from "vitest/config";

// What reckons for a second may take many where others work as well: this ends only what hangs.
export default defineConfig({ test: { testTimeout: 60_000 } });
