import { utf8 } from "../../mqtt/utf8";

// Fixed text of the status page. Modules are preloaded, so that it stays in flash. End tags that are optional
// in HTML are omitted.

export const START = utf8(
	'<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width,initial-scale=1"><link rel=icon href=data:,><title>',
);

/** Reloads the page every ten seconds; only on request. */
export const REFRESH_TAG = utf8("<meta http-equiv=refresh content=10>");

export const STYLE = utf8(
	`</title><style>
:root{color-scheme:light dark;--fg:#1c2430;--dim:#5b6675;--bg:#f4f6f8;--card:#fff;--line:#e1e6ec;--glow:#e6a700;--trace:#b98200}
@media(prefers-color-scheme:dark){:root{--fg:#e6ebf2;--dim:#93a0b2;--bg:#11161d;--card:#19212b;--line:#29333f;--glow:#ffd34d;--trace:#ffd34d}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem 1rem 2rem;max-width:64rem;background:var(--bg);color:var(--fg);font:1rem/1.45 system-ui,sans-serif;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
h1{margin:0;font-size:1.5rem;line-height:1.2}
h1:before{content:"";display:inline-block;width:.5em;height:.5em;margin-right:.5em;border-radius:50%;background:var(--glow);box-shadow:0 0 .5em var(--glow)}
dl{display:flex;flex-wrap:wrap;gap:.25rem 2rem;margin:.75rem 0 1.5rem}
dl div{display:flex;gap:.5rem}
dt{color:var(--dim)}
dd{margin:0}
table{width:100%;border-spacing:0;background:var(--card);border:1px solid var(--line);border-radius:.75rem;overflow:hidden}
th,td{padding:.55rem 1rem;text-align:left;vertical-align:top;font-weight:400}
time,i,thead,footer{color:var(--dim);font-size:.85rem}
thead th{white-space:nowrap}
tbody>tr>*{border-top:1px solid var(--line)}
tbody th{width:42%}
tbody:empty:before{content:"No values";display:block;padding:.5rem 1rem}
b{font-weight:600;white-space:pre-wrap;unicode-bidi:isolate}
td:last-child{white-space:nowrap;text-align:right;width:1%}
thead th:last-child{text-align:right}
time{display:block}
dl time{display:inline;font-size:inherit;color:inherit}
i{font-style:normal;font-weight:400}
a{color:inherit}
footer{position:sticky;bottom:0;padding:.75rem 0;background:var(--bg)}
svg{width:6rem;height:1.25rem;margin-left:.75rem;vertical-align:middle}
polyline{fill:none;stroke:var(--trace);stroke-width:1.5}
.lost{--glow:var(--dim)}
.live footer:before{content:"●";margin-right:.4em;color:var(--glow)}
form{display:flex;flex-wrap:wrap;gap:.5rem;align-items:baseline}
input,button{font:inherit;padding:.35rem .6rem;min-width:0}
@media(max-width:40rem){thead{display:none}tr,th,td{display:block}tbody tr{padding:.6rem 0}tbody tr+tr{border-top:1px solid var(--line)}tbody>tr>*{border:0;padding:0 1rem}tbody th{width:auto;color:var(--dim);font-size:.9rem}tbody td:last-child{width:auto;text-align:left;font-size:.85rem;color:var(--dim)}td time{display:inline;margin-left:.75rem}}
</style>`.replace(/\n/g, ""),
);

export const NAME = utf8("<h1>");
export const UP = utf8("</h1><dl><div><dt>Up<dd>");
export const CLIENTS = utf8("</div><div><dt>Clients<dd>");
export const OF = utf8(" of ");
export const NOW = utf8("</div><div><dt>Now<dd>");
export const TABLE = utf8("</div></dl><table><thead><tr><th>Topic<th>Value<th>Received<tbody>");

export const ROW = utf8("<tr><th scope=row>");
export const VALUE = utf8("<td><b>");
export const AGE = utf8("</b><td>");
export const AGO = utf8(" ago");

export const TIME = utf8("<time datetime=");
export const TIME_TEXT = utf8(">");
export const TIME_END = utf8(" UTC</time>");

export const END = utf8("</table><footer><a href=/?live>Show this page anew every 10 seconds</a></footer>");
export const END_LIVE = utf8("</table><footer>Shown anew every 10 seconds. <a href=/>Stop</a></footer>");

// In values
export const EMPTY = utf8("<i>empty</i>");
export const TRUNCATED = utf8("… <i>");
export const BYTES = utf8(" bytes</i>");

// Units of time spans
export const DAYS = utf8(" d ");
export const HOURS = utf8(" h ");
export const HOURS_END = utf8(" h");
export const MINUTES = utf8(" min");
export const SECONDS = utf8(" s");
