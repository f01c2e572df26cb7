"""The one style sheet of the HTML report: light and dark, on screens and on paper."""

from __future__ import annotations

import base64
import hashlib

SHEET = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--ground:#fff;--raised:#f6f8fa;
--high:#b3261e;--medium:#9a5b00;--low:#0b5cad;--info:#57606a;--bar:#0b5cad}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#9aa4af;--line:#343b44;--ground:#14171b;--raised:#1d2126;
--high:#ff8a80;--medium:#f2b45c;--low:#79b8ff;--info:#9aa4af;--bar:#79b8ff}}
*{box-sizing:border-box}
body{margin:0 auto;padding:2rem 1.5rem 4rem;max-width:62rem;color:var(--ink);background:var(--ground);
font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{margin:0;font-size:1.7rem;line-height:1.25}
h2{margin:2.5rem 0 .75rem;font-size:1.25rem}
h3{margin:0;font-size:1.05rem}
p{margin:.5rem 0}
a{color:var(--low)}
code,pre{font:.85rem/1.45 ui-monospace,monospace}
pre{margin:.4rem 0;padding:.6rem .75rem;background:var(--raised);border:1px solid var(--line);border-radius:.3rem;
white-space:pre-wrap}
table{width:100%;border-collapse:collapse;font-size:.9rem}
th,td{padding:.35rem .6rem .35rem 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{color:var(--soft);font-weight:600}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.25rem;margin:1rem 0}
dt{color:var(--soft)}
dd{margin:0}
ul{margin:.3rem 0;padding-left:1.2rem}
.soft{color:var(--soft);font-size:.9rem}
.tallies{display:flex;flex-wrap:wrap;gap:.5rem 1.5rem;margin:1rem 0;padding:0;list-style:none}
.tallies b{font-size:1.4rem;font-variant-numeric:tabular-nums}
.cause,.set{margin:1rem 0;padding:1rem 1.1rem;border:1px solid var(--line);border-left-width:.3rem;border-radius:.3rem}
.high{border-left-color:var(--high)}.medium{border-left-color:var(--medium)}
.low{border-left-color:var(--low)}.info{border-left-color:var(--info)}
.mark{font-weight:600}
.mark.high{color:var(--high)}.mark.medium{color:var(--medium)}.mark.low{color:var(--low)}.mark.info{color:var(--info)}
.bar{display:block;width:100%;height:.6rem;margin:.4rem 0}
td .bar{width:9rem;margin:.3rem 0 .2rem auto}
.bar .all{fill:var(--line)}.bar .part{fill:var(--bar)}
summary{cursor:pointer;color:var(--soft);font-size:.9rem}
@media print{body{max-width:none;padding:0;font-size:10pt}.cause,.set{break-inside:avoid}a{color:inherit}
details::details-content{content-visibility:visible;block-size:auto}}
"""

SOURCE = f"'sha256-{base64.b64encode(hashlib.sha256(SHEET.encode()).digest()).decode()}'"
"""What a policy has to name, so that this style sheet and no other is applied."""
