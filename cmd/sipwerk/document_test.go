package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
)

// TestDocument: what is written is put into force again without a change, here and in another data folder; what is wrong changes nothing.
func TestDocument(t *testing.T) {
	dir, file := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "company.yaml")
	env := map[string]string{"SIPWERK_DATA": dir, "SIPWERK_DOMAIN": "example.org", "LINE": "sesame", "DESK": "a secret"}
	for _, l := range []line{
		{args: "account add 200 --name Alice", want: "…"},
		{args: "account add 200 --device desk", want: "…"},
		{args: "account add 201", want: "…"},
		{args: "account number add 200 +4930123450-+4930123459", want: "…"},
		{args: "mailbox add 200 --pin 1234", want: "…"},
		{args: "group add 600 --member 200,201 --otherwise voicemail:200", want: "…"},
		{args: "group add 601 --member 600", want: "…"},
		{args: "account set 201 --forward-no-answer 600", want: "…"},
		{args: "trunk add line --server sip.example.net --user 49301 --secret env:LINE", want: "…"},
	} {
		l.run(t, dir, env)
	}
	var out bytes.Buffer
	p := programWith(&out, &out, env)
	if code := p.run([]string{"export"}); code != terminal.ExitOK {
		t.Fatal(code, out.String())
	}
	exported := out.String()
	write := func(replace ...string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(strings.NewReplacer(replace...).Replace(exported)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write()
	for _, l := range []line{
		{args: "plan " + file, want: "example.org is as the document says\n"},
		{args: "apply " + file + " --json", want: `{"domain":"example.org","changes":[],"affected":[]…}` + "\n"},
		{args: "plan -", in: exported, want: "example.org is as the document says\n"},
		{args: "plan " + file + ".none", code: 1, fails: "sipwerk: open …"},
		{args: "plan", code: 2, fails: "sipwerk: give FILE\n…"},
	} {
		l.run(t, dir, env)
	}
	write("members: [200, 201]", "members: [200, 299]", "forward-no-answer: 600", "forward-no-answer: 602")
	line{args: "plan " + file, code: 1, fails: "company.yaml line …: account 201: forward-no-answer: nobody has the number 602; …\ncompany.yaml line …: group 600: members: nobody has the number 299; …\n" +
		"sipwerk: nothing is changed: 2 faults; mend them and try again\n"}.run(t, dir, env)
	write("ring-time", "x", "otherwise", "otherwize")
	line{args: "apply " + file, code: 1, fails: "sipwerk: company.yaml line …: group 600: otherwize: no such field; did you mean otherwise?\n"}.run(t, dir, env)
	write("secret: keep", "secret: sesame")
	line{args: "apply " + file, code: 1, fails: "sipwerk: company.yaml line …: trunk line: secret: a secret is not written down here; …"}.run(t, dir, env)

	// 201 goes, 202 and 203 come, and the group with it
	write("  201:\n    forward-no-answer: 600\n", "  202: {name: Bob}\n  203: {devices: [203-desk], secrets: {203-desk: env:DESK}}\n", "members: [200, 201]", "members: [200, 202]\n    ring-time: 15s")
	for _, l := range []line{
		{args: "plan " + file + " --exit-code", code: exitDiffers, want: "- account 201  \n+ account 202  name=Bob devices=202\n+ account 203  devices=203-desk\n~ group 600    members: \"200,201\" → \"200,202\" ring-time: \"20s\" → \"15s\"\n" +
			"changes that `sipwerk apply` would make in example.org: 4\naffected: account 200, account 201, account 202, account 203, group 601\n"},
		{args: "plan " + file + " --json", want: `{"domain":"example.org","changes":[{"action":"remove","kind":"account","name":"201"…{"action":"change","kind":"group","name":"600","fields":[{"field":"members","before":"200,201","after":"200,202"},…}]}],"affected":[…],"devices":[{"domain":"example.org","account":"202","user":"202"},…]}` + "\n"},
		{args: "apply " + file, want: "…changes in force in example.org: 4\n…202 …secret …\n203-desk …secret …Secrets and PINs are shown this once and not kept.\n"},
		{args: "apply " + file, want: "example.org is as the document says\n"},
		{args: "account list", want: "…200@example.org  Alice  200 200-desk  +4930123450-+4930123459\n202@example.org  Bob    202           \n203@example.org         203-desk      \n"},
	} {
		l.run(t, dir, env)
	}

	// only a part of it, into another data folder: what has a secret to keep cannot
	other := map[string]string{"SIPWERK_DATA": filepath.Join(t.TempDir(), "other"), "DESK": "a secret"}
	for _, l := range []line{
		{args: "apply " + file, code: 1, fails: "sipwerk: company.yaml line …: …there is none to keep; …"},
		{args: "apply - --lang de", in: "domain: example.com\naccounts:\n  7: {}\nrooms:\n  4000: {pin: new}\n", want: "+ account 7  devices=7\n+ room 4000  pin=set\nÄnderungen, die in example.com gelten: 2\n…4000…pin …\n…"},
		{args: "apply -", in: "groups: {600: {members: [7]}}", want: "+ group 600  members=7\nchanges in force in example.com: 1\naffected: account 7\n"},
		{args: "account list --domain example.com", want: "…7@example.com …"},
		{args: "apply -", in: "accounts: {}\n", code: 1, fails: "sipwerk: group 600: members: nobody has the number 7; …"},
		{args: "apply -", in: "accounts: {}\ngroups: {}\nmail: null\n", want: "- account 7  \n- group 600  \n…"},
	} {
		l.run(t, dir, other)
	}

	// a plan with a test that fails does not go live
	plan := "domain: example.com\naccounts: {7: {}, 8: {}}\ndialplan:\n  tests:\n    - {name: reception, from: 8, to: 7, expect: 'account:7'}\n"
	for _, l := range []line{
		{args: "apply -", in: plan, want: "…1 tests, 0 of them fail\n…"},
		{args: "plan - --lang de", in: plan + "  rules: [{name: r, target: 8}]\n", code: 1, want: "~ dialplan ……reception: account:8 statt account:7\n1 …"},
		{args: "apply -", in: plan + "  rules: [{name: r, target: 8}]\n", code: 1, fails: "sipwerk: …tests fail: reception (account:8 instead of account:7); …"},
		{args: "plan -", in: plan + "  rules: [{name: r, when: 'nothing ==', target: 8}]\n", code: 1, fails: "sipwerk: the dial plan cannot be used: …rule r: when…"},
		{args: "plan - --json", in: plan, want: `{"domain":"example.com","changes":[],"affected":[],"tests":[{"name":"reception",…"ok":true,…}]}` + "\n"},
	} {
		l.run(t, dir, other)
	}
}
