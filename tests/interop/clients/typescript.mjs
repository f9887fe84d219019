// Both official TypeScript SDKs, each with a handler for forms: node typescript.mjs sdk|client COMMAND [ARGUMENT ...]
const [which, command, ...args] = process.argv.slice(2);
const base = which === "sdk" ? "@modelcontextprotocol/sdk/client" : "@modelcontextprotocol/client";
const { Client } = await import(which === "sdk" ? `${base}/index.js` : base);
const { StdioClientTransport } = await import(which === "sdk" ? `${base}/stdio.js` : `${base}/stdio`);
const form = which === "sdk" ? (await import("@modelcontextprotocol/sdk/types.js")).ElicitRequestSchema : "elicitation/create";

const asked = [];
const options = { capabilities: { elicitation: { form: {} } } };
if (which === "client") options.versionNegotiation = { mode: "auto" };
const client = new Client({ name: "interop", version: "1" }, options);
client.setRequestHandler(form, async (request) => {
  asked.push(request.params.message);
  return { action: "accept", content: { decision: "approve" } };
});
await client.connect(new StdioClientTransport({ command, args, env: process.env, stderr: "ignore" }));
const { tools } = await client.listTools();
const roles = (await client.callTool({ name: "list_roles", arguments: {} })).structuredContent;
const role = roles.data.find((each) => !each.predefined_role);
const changed = await client.callTool({
  name: "update_role",
  arguments: { role_id: role.id, description: `changed by ${which}` },
});
console.log(
  JSON.stringify({
    tools: tools.map((tool) => tool.name),
    rows: roles.data.length,
    asked,
    changed: changed.structuredContent,
  }),
);
await client.close();
