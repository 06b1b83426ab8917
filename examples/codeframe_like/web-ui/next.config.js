/** @type {import('next').NextConfig} */
module.exports = {
  reactStrictMode: true,
  async rewrites() {
    // Baked into the build; a build without the variable gets the port of development.
    const backend = `http://localhost:${process.env.BACKEND_PORT || "8080"}`;
    return [
      { source: "/api/:path*", destination: `${backend}/api/:path*` },
      { source: "/ws", destination: `${backend}/ws` },
    ];
  },
};
