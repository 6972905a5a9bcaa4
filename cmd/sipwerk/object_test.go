package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestObjects: what goes for every kind, and what is of one alone.
func TestObjects(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	rule := filepath.Join(t.TempDir(), "dkim.pem")
	if err := os.WriteFile(rule, []byte("key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"SIPWERK_DATA": dir, "SIPWERK_DOMAIN": "example.org", "LINE": "sesame"}
	for _, l := range []line{
		{args: "__complete group set 6", want: ":4\n", fails: "…"}, // and no folder is made
		{args: "account add 200", want: "…"},
		{args: "account add 201", want: "…"},
		{args: "group list", want: "GROUP  TITLE  SETTINGS\n"},
		{args: "group list --json", want: "[]\n"},
		{args: "group add 600 --member 200 --member 201 --title Sales --strategy order", want: "group   600\ndomain  example.org\n"},
		{args: "group add 601@example.org --member 600 --json", want: `{"domain":"example.org","number":"601","title":"","members":["600"],"strategy":"all","ring-time":"20s","otherwise":""}` + "\n"},
		{args: "group add 600", code: 1, fails: "sipwerk: group 600@example.org exists already; choose another name, or change it with `sipwerk group set`\n"},
		{args: "queue add 600 --lang de", code: 1, fails: "sipwerk: queue 600: number: 600 is taken by the group of this number; choose another\n"},
		{args: "group set 600 --strategy random --member 200", code: 1, fails: "sipwerk: group 600: strategy: \"random\" is not known; write one of all, order, round-robin, longest-idle\n"},
		{args: "group set 600 --member 299", code: 1, fails: "sipwerk: group 600: members: nobody has the number 299; …"},
		{args: "group set 602 --members 1", code: 2, fails: "sipwerk: unknown flag: --members; did you mean --member?\n`sipwerk group set --help` tells more\n"},
		{args: "group set 602", code: 1, fails: "sipwerk: group 602@example.org does not exist; `sipwerk group list` shows what there is, `sipwerk group add 602` makes it\n"},
		{args: "group set 602 --lang de", code: 1, fails: "sipwerk: group 602@example.org gibt es nicht; `sipwerk group list` zeigt, was es gibt, `sipwerk group add 602` legt es an\n"},
		{args: "group set 600 --ring-time 15s", want: "…"},
		{args: "group list", want: "GROUP            TITLE  SETTINGS\n600@example.org  Sales  member=200,201 strategy=order ring-time=15s\n601@example.org         member=600\n"},
		{args: "group show 600", want: "number     600\ntitle      Sales\nmembers    200,201\nstrategy   order\nring-time  15s\notherwise  \n"},
		{args: "group remove 600", code: 1, fails: "sipwerk: group 601: members: nobody has the number 600; …"},
		{args: "account remove 201", code: 1, fails: "sipwerk: 201@example.org is still needed: group 600: members: …"},
		{args: "group remove 601", want: "601@example.org is removed\n"},
		{args: "group add", code: 2, fails: "sipwerk: give NUMBER\n…"},
		{args: "group add 603 --memer 200", code: 2, fails: "sipwerk: unknown flag: --memer\n…"},
		{args: "__complete group set 6", want: "600\n:4\n", fails: "…"},
		{args: "__complete group set 600 --otherwise 2", want: "600\n200\n201\nvoicemail\n…", fails: "…"},
		{args: "__complete group set 600 --strategy r", want: "…round-robin\n…", fails: "…"},
		{args: "__complete account remove 2", want: "200\n201\n:4\n", fails: "…"},
		{args: "__complete recording add x --enabled=y", want: "yes\nno\n…", fails: "…"},

		{args: "mailbox add 200 --pin new", want: "mailbox  200\ndomain   example.org\npin      …\nA PIN is shown this once and not kept.\n"},
		{args: "mailbox add 201 --pin 12", code: 1, fails: "sipwerk: mailbox 201: pin: is no PIN; write 4 to 16 digits, new to have one made, or none\n"},
		{args: "mailbox show 200", want: "user               200\npin                is set and not shown\n…"},
		{args: "mailbox set 200 --attach=no --pin none", want: "mailbox  200\ndomain   example.org\n"},
		{args: "mailbox list", want: "MAILBOX  SETTINGS\n200      attach=no\n"},

		{args: "trunk add line --server sip.example.net --user 49301 --secret -", in: "sesame\n", want: "trunk   line\ndomain  example.org\n"},
		{args: "trunk show line --json", want: `{…"secret":true,…}` + "\n"},
		{args: "trunk set line --secret env:LINE --inbound +4930*=200 --number-rules ^0(.*)=>+49$1", want: "…"},
		{args: "trunk set line --secret env:NONE", code: 1, fails: "sipwerk: trunk line: secret: the environment has no NONE; set it, or name another\n"},
		{args: "trunk set line --secret sesame", code: 1, fails: "sipwerk: trunk line: secret: a secret is not written down here; write env:NAME …"},
		{args: "trunk list", want: "TRUNK  SETTINGS\nline   server=sip.example.net user=49301 secret inbound=+4930*=200 number-rules=^0(.*)=>+49$1\n"},
		{args: "mail set --host smtp.example.org --from a@example.org --dkim-selector s --dkim-key file:" + rule, want: "domain  example.org\n"},
		{args: "mail set --dkim-key file:DIR/none", code: 1, fails: "sipwerk: mail: dkim-key: open DIR/none: no such file or directory; name a file that can be read\n"},
		{args: "mail remove", want: "mail@example.org is removed\n"},

		{args: "account set 200 --forward-busy voicemail --dnd", want: "account  200\ndomain   example.org\n"},
		{args: "account set 200 --forward-busy voicemail:201", code: 1, fails: "sipwerk: account 200: forward-busy: there is no mailbox of 201; …"},
		{args: "account set 299 --dnd", code: 1, fails: "sipwerk: account 299: user: there is no account 299; …"},
		{args: "account show 200 --json", want: `{"domain":"example.org","user":"200",…"forward-busy":"voicemail",…"dnd":true,"call-waiting":true,…}` + "\n"},
		{args: "account show 201", want: "user               201\nforward-always     \n…"},
		{args: "account rename 200 Alice", want: "200@example.org is called \"Alice\"\n"},
		{args: "account rename 299 Alice", code: 1, fails: "sipwerk: account 299@example.org does not exist; `sipwerk account list` shows what there is\n"},
		{args: "account list", want: "…\n200@example.org  Alice …"},
		{args: "account show 299", code: 1, fails: "sipwerk: account 299@example.org does not exist; …"},
		{args: `dialplan set --country DE --rule {"name":"a","target":"600"} --rule {"name":"b","target":"200"}`, want: "domain  example.org\n"},
		{args: "dialplan show", want: "country          DE\n…rules            {name: a, target: 600},{name: b, target: 200}\n…"},
		{args: "trunk --help --lang de", want: "Eine Leitung zum Rest der Welt…Befehle:\n…"},
		{args: "queue add --help --lang de", want: "…--agent …Die Konten, die ihre Anrufe annehmen…--ring-time …(20s)…"},
	} {
		l.run(t, dir, env)
	}
}
