import { fileURLToPath } from "node:url";

import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

// BACKEND_URL: where `npm run dev` finds the back end.
export default defineConfig({
  plugins: [vue()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: { proxy: { "/api": process.env.BACKEND_URL ?? "http://127.0.0.1:8000" } },
  build: { chunkSizeWarningLimit: 1500 },
  test: {
    environment: "happy-dom",
    include: ["tests/**/*.test.ts"],
    testTimeout: 60_000,
    server: { deps: { inline: ["element-plus"] } },
  },
});
