import path from "node:path";
import { fileURLToPath } from "node:url";

// Next.js uses the directory of the topmost lock file as the root.
// A lock file beside or above this directory must not change the build.
const root = path.dirname(fileURLToPath(import.meta.url));

// Next.js reads this variable after it has loaded this file.
process.env.NEXT_TELEMETRY_DISABLED = "1";

// Baked into the build like the NEXT_PUBLIC_ variables, despite its name.
const backendPort = process.env.BACKEND_PORT || "8080";

export default {
  outputFileTracingRoot: root,
  turbopack: { root },
  images: { unoptimized: true },
  poweredByHeader: false,
  async rewrites() {
    return [{ source: "/backend/:path*", destination: `http://127.0.0.1:${backendPort}/:path*` }];
  },
};
