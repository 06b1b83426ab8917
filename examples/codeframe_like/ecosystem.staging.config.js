const path = require("path");
const dotenv = require("dotenv");

const PROJECT_ROOT = __dirname;
const fromFile = dotenv.config({ path: path.join(PROJECT_ROOT, ".env.staging") }).parsed || {};

module.exports = {
  apps: [
    {
      name: "codeframe-staging-backend",
      script: path.join(PROJECT_ROOT, ".venv/bin/python"),
      args: "-m codeframe.ui.server --port 14200",
      cwd: PROJECT_ROOT,
      env: { ...fromFile, PYTHONPATH: PROJECT_ROOT },
      max_memory_restart: "500M",
      error_file: path.join(PROJECT_ROOT, "logs/backend-error.log"),
      out_file: path.join(PROJECT_ROOT, "logs/backend-out.log"),
      kill_timeout: 5000,
      wait_ready: true,
      listen_timeout: 10000,
    },
    {
      name: "codeframe-staging-frontend",
      script: path.join(PROJECT_ROOT, "web-ui/node_modules/.bin/next"),
      args: "start -H 0.0.0.0 -p 14100",
      cwd: path.join(PROJECT_ROOT, "web-ui"),
      env: { ...fromFile },
      max_memory_restart: "500M",
      error_file: path.join(PROJECT_ROOT, "logs/frontend-error.log"),
      out_file: path.join(PROJECT_ROOT, "logs/frontend-out.log"),
      kill_timeout: 5000,
      wait_ready: true,
      listen_timeout: 10000,
    },
  ],
};
