/** aedes alone, as its documentation starts it, on a port that the machine chooses. */
import net from "node:net";
import { Aedes } from "aedes";

const aedes = await Aedes.createBroker();
const server = net.createServer({ noDelay: true }, aedes.handle);
server.listen(0, "127.0.0.1", () => {
	const address = server.address();
	if (address !== null && typeof address === "object")
		process.stdout.write(`listening on mqtt://127.0.0.1:${address.port}\n`);
});
process.on("SIGTERM", () => process.exit());
