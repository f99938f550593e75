// Types of records (RFC 5246 §6.2.1)
const CHANGE_CIPHER_SPEC = 20;
const ALERT = 21;
const HANDSHAKE = 22;

/** Bytes of the header of a record: type, version, length. */
const RECORD_HEADER_SIZE = 5;
/** Bytes of the header of a message: type, length (§7.4). */
const MESSAGE_HEADER_SIZE = 4;

// Messages of a server, in their order (§7.3)
const NONE = 0;
const SERVER_HELLO = 2;
const CERTIFICATE = 11;
const SERVER_KEY_EXCHANGE = 12;
const CERTIFICATE_REQUEST = 13;
const SERVER_HELLO_DONE = 14;

/** Position of the length of the server's point in ServerKeyExchange, behind the curve (RFC 8422 §5.4). */
const POINT_LENGTH_AT = 3;
// The algorithms that the SDK's ClientHello offers for signatures (RFC 5246 §7.4.1.4.1)
const SHA256 = 4;
const RSA = 1;
const ECDSA = 3;

/**
 * Checks what a server sends in the clear, up to its ChangeCipherSpec. The SDK's session alone would take
 * messages in any order, application data that anybody has put among them, and a key exchange whose signature
 * is of no algorithm, which proves nothing: whoever has the broker's certificate, which is public, could pass
 * for it.
 */
export class HandshakeOrder {
	/** What follows is encrypted and authenticated. */
	isOver = false;
	#recordType = 0;
	/** Bytes of the record's header that were read, and of the record that are still to come. */
	#headerLength = 0;
	#recordLeft = 0;
	/** The last message, the bytes of it that were read, 0 once it is complete, and those of its body. */
	#message = NONE;
	#position = 0;
	#bodyLength = 0;
	/** End of the server's point in the body of ServerKeyExchange; what signs it follows. */
	#pointEnd = Number.POSITIVE_INFINITY;

	/** @throws Error for what must not come here */
	push(bytes: Uint8Array): void {
		for (let i = 0; i < bytes.length && !this.isOver; i++) this.readByte(bytes[i]);
	}

	private readByte(byte: number): void {
		const at = this.#headerLength;
		if (at < RECORD_HEADER_SIZE) {
			if (at === 0) this.beginRecord(byte);
			else if (at >= 3) this.#recordLeft = (this.#recordLeft << 8) | byte;
			this.#headerLength = at + 1;
		} else {
			this.#recordLeft--;
			if (this.#recordType === HANDSHAKE) this.readMessage(byte);
		}
		if (this.#headerLength === RECORD_HEADER_SIZE && this.#recordLeft === 0) this.#headerLength = 0;
	}

	private beginRecord(type: number): void {
		this.#recordType = type;
		if (type === CHANGE_CIPHER_SPEC) {
			// Right after ServerHello it resumes a session, whose secret Finished has to prove.
			const message = this.#message;
			if (this.#position > 0 || (message !== SERVER_HELLO && message !== SERVER_HELLO_DONE))
				throw new Error("ChangeCipherSpec out of order");
			this.isOver = true;
		} else if (type !== HANDSHAKE && type !== ALERT) throw new Error("data before the end of the handshake");
	}

	private readMessage(byte: number): void {
		const at = this.#position++;
		if (at === 0) {
			if (!mayFollow(byte, this.#message)) throw new Error(`message ${byte} after ${this.#message}`);
			this.#message = byte;
			this.#bodyLength = 0;
		} else if (at < MESSAGE_HEADER_SIZE) this.#bodyLength = (this.#bodyLength << 8) | byte;
		else if (this.#message === SERVER_KEY_EXCHANGE) this.readKeyExchange(at - MESSAGE_HEADER_SIZE, byte);
		if (this.#position === MESSAGE_HEADER_SIZE + this.#bodyLength) this.#position = 0;
	}

	private readKeyExchange(at: number, byte: number): void {
		if (at === POINT_LENGTH_AT) this.#pointEnd = at + 1 + byte;
		else if (
			(at === this.#pointEnd && byte !== SHA256) ||
			(at === this.#pointEnd + 1 && byte !== RSA && byte !== ECDSA)
		)
			throw new Error("a key exchange signed with an algorithm that was not offered");
	}
}

function mayFollow(type: number, last: number): boolean {
	switch (type) {
		case SERVER_HELLO:
			return last === NONE;
		case CERTIFICATE:
			return last === SERVER_HELLO;
		case SERVER_KEY_EXCHANGE:
		case CERTIFICATE_REQUEST:
		case SERVER_HELLO_DONE:
			return last >= CERTIFICATE && last < type;
		default:
			return false;
	}
}
