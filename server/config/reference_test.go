// docs/configuration.md is the table of fields in prose; -update writes it.

package config

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/configuration.md")

const referenceHead = `# Configuration

Sipwerk starts without any configuration. What may be told is said by a flag of ` + "`sipwerk serve`" + `, by an environment variable, or in a YAML file
named by ` + "`--config`" + ` (or ` + "`SIPWERK_CONFIG`" + `; without either, ` + "`/etc/sipwerk/sipwerk.yaml`" + ` is read if it exists). A flag beats a variable beats the file beats the default.
Lists are separated by commas, or YAML lists in the file; ` + "`tls.key`" + ` may also be written as ` + "`key`" + ` under ` + "`tls`" + `. ` + "`sipwerk check`" + ` shows what is in force and where it
was said.

` + "```yaml" + `
domain: example.org
listen: [udp://:5060, tcp://:5060, tls://:5061]
tls:
  certificate: /etc/sipwerk/fullchain.pem
  key: /etc/sipwerk/privkey.pem
` + "```" + `

`

func TestReference(t *testing.T) {
	const path = "../../docs/configuration.md"
	var b strings.Builder
	b.WriteString(referenceHead)
	for _, f := range Default(environment(nil), true).Fields() {
		value := "none"
		if s := f.Value.String(); s != "" {
			value = "`" + s + "`"
		}
		if f.Name == "data" {
			value += " for root, `~/.local/share/sipwerk` for others"
		}
		fmt.Fprintf(&b, "## %s\n\n%s\n\n- Flag `--%s`, variable `%s`\n- Default: %s\n- Example: `%s`\n\n", f.Name, f.Doc, f.Flag(), f.Variable(), value, f.Example)
	}
	want := strings.TrimSuffix(b.String(), "\n")
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/configuration.md is not what the fields say; run `go test ./server/config -update`")
	}
}
