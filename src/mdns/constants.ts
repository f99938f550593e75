/** IPv4 group and port of Multicast DNS (RFC 6762 §3). */
export const MDNS_GROUP = "224.0.0.251";
export const MDNS_PORT = 5353;

// Types of records (RFC 1035 §3.2.2, RFC 2782, RFC 4034 §4)
export const TYPE_A = 1;
export const TYPE_PTR = 12;
export const TYPE_TXT = 16;
export const TYPE_SRV = 33;
export const TYPE_NSEC = 47;
export const TYPE_ANY = 255;

export const CLASS_IN = 1;
export const CLASS_ANY = 255;
/**
 * Above the class: in a question, an answer by unicast is welcome (RFC 6762 §5.4); in a record, it replaces
 * all others of its name and type (§10.2).
 */
export const CLASS_FLAG = 0x8000;

/** Bytes of a message's header: identifier, flags, and the sizes of four sections (RFC 1035 §4.1.1). */
export const HEADER_SIZE = 12;
export const FLAG_RESPONSE = 0x8000;
export const FLAG_AUTHORITATIVE = 0x0400;
/** More known answers follow in another message (RFC 6762 §7.2). */
export const FLAG_TRUNCATED = 0x0200;
/** Operation and result, which are 0 in every valid message (RFC 6762 §18.3, §18.11). */
export const FLAGS_ZERO = 0x780f;

/** Bytes of a label at most, without its length (RFC 1035 §3.1). */
export const LABEL_SIZE = 63;
