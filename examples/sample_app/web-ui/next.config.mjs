import path from "node:path";
import { fileURLToPath } from "node:url";

// Next.js looks for the topmost lock file and takes its directory as the root.
// A lock file beside or above this directory must not change what is built.
const root = path.dirname(fileURLToPath(import.meta.url));

// Read when the telemetry object is made, which is after this file is loaded.
process.env.NEXT_TELEMETRY_DISABLED = "1";

// Baked into the build like the NEXT_PUBLIC_ variables, though its name doesn't say so.
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
