# SPDX-License-Identifier: Apache-2.0
# Read apt's package sources in both spellings (one-line, deb822) and print one row per
# enabled binary source: URI, suite, keyring ("-" when none is named), parted by tabs.
# Only sources with the component "main" count. Runs on mawk, gawk and busybox awk.

function flush_stanza(    uris, suites, n, m, i, j, key) {
  key = field["signed-by"]
  if (key !~ /^ *\//) key = "-" # a key inside the stanza has no path: apt's own trust decides
  if ((" " field["types"] " ") ~ / deb / && tolower(field["enabled"]) !~ /no|false|0/ &&
      (" " field["components"] " ") ~ / main /) {
    n = split(field["uris"], uris, " ")
    m = split(field["suites"], suites, " ")
    for (i = 1; i <= n; i++) for (j = 1; j <= m; j++) row(uris[i], suites[j], key)
  }
  split("", field)
  name = ""
}

function row(uri, suite, key) {
  gsub(/^ +| +$/, "", key)
  if (uri !~ /^cdrom:/) print uri "\t" suite "\t" key
}

function one_line(line,    words, n, i, key, options, main) {
  key = "-"
  if (match(line, /\[[^]]*\]/)) {
    options = substr(line, RSTART + 1, RLENGTH - 2)
    line = substr(line, 1, RSTART - 1) " " substr(line, RSTART + RLENGTH)
    n = split(options, words, /[ \t]+/)
    for (i = 1; i <= n; i++) if (words[i] ~ /^signed-by=\//) key = substr(words[i], 11)
  }
  n = split(line, words, /[ \t]+/)
  for (i = 4; i <= n; i++) if (words[i] == "main") main = 1
  if (main) row(words[2], words[3], key)
}

FNR == 1 { flush_stanza() }
{ sub(/\r$/, "") }
FILENAME !~ /\.sources$/ {
  sub(/#.*/, "")
  sub(/^[ \t]+/, "")
  if ($1 == "deb") one_line($0)
  next
}
/^#/ { next }
/^[ \t]*$/ { flush_stanza(); next }
/^[ \t]/ { if (name != "") field[name] = field[name] " " $0; next }
{
  name = tolower(substr($0, 1, index($0, ":") - 1))
  value = substr($0, index($0, ":") + 1)
  gsub(/\t/, " ", value)
  field[name] = value
}
END { flush_stanza() }
