// Lists the tools with both official TypeScript clients and checks that each gets all of them.
// Usage: node list_tools.mjs EXPECTED COMMAND [ARGUMENT ...]
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as LegacyTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { Client as ModernClient } from "@modelcontextprotocol/client";
import { StdioClientTransport as ModernTransport } from "@modelcontextprotocol/client/stdio";

const [expected, command, ...args] = process.argv.slice(2);
const info = { name: "interop", version: "1" };
const clients = {
  "@modelcontextprotocol/sdk": [new LegacyClient(info), LegacyTransport],
  "@modelcontextprotocol/client": [new ModernClient(info, { versionNegotiation: { mode: "auto" } }), ModernTransport],
};
for (const [name, [client, Transport]] of Object.entries(clients)) {
  await client.connect(new Transport({ command, args, stderr: "ignore" }));
  const { tools } = await client.listTools();
  if (tools.length !== Number(expected)) throw new Error(`${name}: ${tools.length} tools instead of ${expected}`);
  const { structuredContent } = await client.callTool({ name: "list_roles", arguments: { limit: 1 } });
  if (structuredContent.data.length !== 1) throw new Error(`${name}: list_roles answered ${JSON.stringify(structuredContent)}`);
  await client.close();
  console.log(`${name}: ${tools.length} tools, list_roles answered`);
}
