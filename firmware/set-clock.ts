/**
 * 2001-09-09T01:46:40Z. A clock before this time counts from 1970 and was never set; a recording that is
 * replayed may be of any later year.
 */
export const EARLIEST_SET_CLOCK_MS = 1_000_000_000_000;
