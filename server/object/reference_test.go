// docs/objects.md is the table of kinds in prose; -update writes it.

package object

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/objects.md")

const referenceHead = `# What a company sets up

Groups, queues, voicemail, trunks and everything else that is not in [the configuration](configuration.md) lives in the data folder and is edited while the server runs: by the
commands below, or all of it as one document. A running server knows of a change when the command ends, which says so if it
does not answer; calls under way go on as they began.

Every kind has the same commands, each with ` + "`--json`" + `, and with the fields below as flags:

` + "```" + `
sipwerk group add 600 --member 200,201 --otherwise voicemail:200
sipwerk group set 600 --ring-time 15s
sipwerk group list
sipwerk group show 600
sipwerk group remove 600
` + "```" + `

Of the dial plan and the mail server a domain has just one (` + "`sipwerk dialplan set …`" + `), and the settings of an account belong to one that ` + "`sipwerk account add`" + ` has made
(` + "`sipwerk account set 200 …`" + `). Numbers of groups, queues, menus, pages and rooms share one name space with accounts and devices. What something else refers to cannot be removed.

**Targets** say where a call goes: what one could dial (` + "`200`, `600`, `*43`, `+4930…`" + `), ` + "`voicemail`" + ` (the box of whom the call was for), ` + "`voicemail:200`, `hangup`, `busy`" + `, or
` + "`hours:office?open=600&closed=voicemail:200`" + `. In a target inside a target ` + "`%` and `&` are written `%25` and `%26`" + `.

**Secrets** (of trunks and mail servers) are never shown. They are given as ` + "`env:NAME`, `file:PATH` or, on the command line, `-`" + ` for standard input, and kept sealed with the key
` + "`secrets.key`" + ` of the data folder: a backup without it has no secrets. **PINs** are given as digits, or as ` + "`new`" + ` to have one made and shown once; only their hash is kept. ` + "`none`" + ` takes either
away.

## One document

` + "`sipwerk export`" + ` writes everything of a domain as YAML, ` + "`sipwerk plan FILE`" + ` says what a changed document would change, who notices, and which tests of the dial plan would fail, and
` + "`sipwerk apply FILE`" + ` puts it into force in one transaction. A section that the document has says everything of its kind: what is not in it is removed. A section that it has not is left as it is, and so are hours that people have opened or closed at their telephones, unless it says their state. ` + "`keep`" + ` stands for a secret or a PIN that
there is. Devices and PINs that are made are shown once.

` + "```yaml" + `
domain: example.org
accounts:
  200:
    name: Alice
    devices: [200, 200-desk]
    numbers: ["+4930123450-+4930123459"]
    forward-no-answer: voicemail
mailboxes:
  200: {pin: keep, email: alice@example.org}
groups:
  600: {members: [200, 201], otherwise: "voicemail:200"}
` + "```" + `

In the section ` + "`accounts`" + ` stand, beside the fields of the kind account: `

func TestReference(t *testing.T) {
	const path = "../../docs/objects.md"
	var b strings.Builder
	b.WriteString(referenceHead)
	for i, f := range structFields(reflect.TypeFor[Person]()) {
		if i > 0 {
			b.WriteString(" ")
		}
		fmt.Fprintf(&b, "`%s`: %s", f.Name, f.Doc)
	}
	b.WriteString("\n")
	for _, k := range Kinds() {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", k.Name, k.Doc)
		if k.Key != "" {
			fmt.Fprintf(&b, "Section `%s` of the document; named by its %s.\n\n", k.Plural, k.Key)
		} else {
			fmt.Fprintf(&b, "Section `%s` of the document.\n\n", k.Plural)
		}
		writeTable(&b, k.Fields())
		for _, f := range k.Fields() {
			if f.Structs() {
				fmt.Fprintf(&b, "\nAn item of `%s`, written as YAML (`--%s '{%s: …}'`):\n\n", f.Name, f.Flag, structFields(f.typ.Elem())[0].Name)
				writeTable(&b, structFields(f.typ.Elem()))
			}
		}
	}
	_, example, _ := strings.Cut(referenceHead, "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	if _, err := ParseDocument("the example", []byte(example)); err != nil {
		t.Error(err)
	}
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Error("docs/objects.md is not what the structs say; run `go test ./server/object -update`")
	}
}

// structFields are the fields of a struct that is no object.
func structFields(t reflect.Type) (fields []Field) {
	for _, sf := range reflect.VisibleFields(t) {
		if sf.Tag.Get("json") != "-" {
			fields = append(fields, fieldOf(sf))
		}
	}
	return fields
}

// writeTable writes fields as rows.
func writeTable(b *strings.Builder, fields []Field) {
	b.WriteString("| field | default | meaning |\n|---|---|---|\n")
	for _, f := range fields {
		name, value := "`"+f.Name+"`", ""
		if f.Flag != f.Name {
			name += " (`--" + f.Flag + "`)"
		}
		if f.Default != "" {
			value = "`" + f.Default + "`"
		}
		doc := strings.ReplaceAll(f.Doc, "|", `\|`)
		if f.Example != "" {
			doc += " Such as `" + f.Example + "`."
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", name, value, doc)
	}
}
