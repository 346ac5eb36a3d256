// `npm ci` on an older Node: npm's own warnings, one for each package, are silenced in .npmrc, and this line takes their
// place. npm's scripts run on the Node that is a development package; npm itself names the host's.
const [, host = ''] = /\bnode\/v([\d.]+)/.exec(process.env.npm_config_user_agent ?? '') ?? [];
if (Number.parseInt(host, 10) < 24) {
  console.log(
    `Node ${host} is older than 24: "npm start" and "npm test" use the Node ${process.versions.node} in node_modules.`,
  );
}
