"""The one style sheet of the HTML report: light and dark, on screens and on paper."""

from __future__ import annotations

import base64
import hashlib

SHEET = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--ground:#fff;--raised:#f6f8fa;
--high:#b3261e;--medium:#8a5200;--low:#0b5cad;--info:#57606a;--bar:#0b5cad}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#9aa4af;--line:#343b44;--ground:#14171b;--raised:#1d2126;
--high:#ff8a80;--medium:#f2b45c;--low:#79b8ff;--info:#9aa4af;--bar:#79b8ff}}
*{box-sizing:border-box}
body{margin:0 auto;padding:2rem 1.5rem 4rem;max-width:66rem;color:var(--ink);background:var(--ground);
font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{margin:0;font-size:1.7rem;line-height:1.25}
h2{margin:2.5rem 0 .75rem;font-size:1.3rem}
h3{margin:0;font-size:1.05rem}
p{margin:.5rem 0}
a{color:var(--low)}
:focus-visible{outline:.15rem solid var(--low);outline-offset:.15rem}
:target{scroll-margin-top:1rem;background:var(--raised)}
code,pre{font:.85rem/1.45 ui-monospace,monospace}
pre{margin:.3rem 0 .6rem;padding:.6rem .75rem;background:var(--raised);border:1px solid var(--line);border-radius:.3rem;
white-space:pre-wrap}
.wide{overflow-x:auto}
table{width:100%;border-collapse:collapse;font-size:.9rem}
th,td{padding:.35rem .9rem .35rem 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;min-width:4.5rem}
th{color:var(--soft);font-weight:600;overflow-wrap:normal}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
th.text{min-width:12rem}.whole{white-space:nowrap}
td.map{min-width:6rem;width:20%}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.25rem;margin:1rem 0}
dt{color:var(--soft)}
dd{margin:0}
ul{margin:.3rem 0;padding-left:1.2rem}
nav{display:flex;flex-wrap:wrap;gap:.3rem 1.25rem}
footer{margin-top:3rem;border-top:1px solid var(--line);font-size:.9rem}
footer h2{font-size:1rem;margin-top:1rem}
.soft,.label{color:var(--soft);font-size:.9rem}
.soft code{margin-left:.4rem}
.label{margin:.8rem 0 .2rem}
.verdict{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem 2.5rem;margin:1rem 0}
.grade{display:flex;align-items:center;gap:.75rem;margin:0}
.grade b{padding:.3rem .9rem;border:2px solid var(--ink);border-radius:.4rem;font-size:2rem;line-height:1.2}
.tallies{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;margin:0;padding:0;list-style:none}
.tallies b{font-size:1.5rem;font-variant-numeric:tabular-nums}
.cause,.set{margin:1rem 0;padding:1rem 1.1rem;border:1px solid var(--line);border-left-width:.3rem;border-radius:.3rem}
.high{border-left-color:var(--high)}.medium{border-left-color:var(--medium)}
.low{border-left-color:var(--low)}.info{border-left-color:var(--info)}
.mark{font-weight:600;white-space:nowrap}
.mark.high{color:var(--high)}.mark.medium{color:var(--medium)}.mark.low{color:var(--low)}.mark.info{color:var(--info)}
.bar{display:block;width:100%;height:.6rem;margin:.4rem 0}
td.n .bar{width:9rem;margin:.3rem 0 .2rem auto}
.bar .all{fill:var(--line)}.bar .part{fill:var(--bar)}
summary{cursor:pointer;color:var(--soft);font-size:.9rem}
@media screen and (max-width:45rem){td.map,th.map{display:none}th.text{min-width:9rem}body{padding:1.25rem 1rem 3rem}}
@page{margin:14mm}
@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--line:#bbb;--ground:#fff;--raised:#f6f8fa;
--high:#b3261e;--medium:#8a5200;--low:#0b5cad;--info:#444;--bar:#0b5cad}
body{max-width:none;padding:0;font-size:9.5pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}
nav{display:none}.wide{overflow:visible}
h2,h3,.label{break-after:avoid}.cause,.set,tr,pre,dl{break-inside:avoid}
.cause,.set{margin:.5rem 0;padding:.6rem .8rem}p{margin:.25rem 0;orphans:3;widows:3}h2{margin-top:1.25rem}a{color:inherit}
summary{list-style:none}.lines::details-content{content-visibility:visible;block-size:auto}}
"""

SOURCE = f"'sha256-{base64.b64encode(hashlib.sha256(SHEET.encode()).digest()).decode()}'"
"""What a policy has to name, so that this style sheet and no other is applied."""
