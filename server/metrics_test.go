// docs/metrics.md is the table of metrics in prose; -update writes it.

package server

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

var update = flag.Bool("update", false, "write docs/metrics.md")

const metricsHead = `# Metrics

The server answers ` + "`/metrics`" + ` in the text format of Prometheus, and ` + "`/health`" + ` in JSON, on the loopback address of ` + "`--http`" + `. Health is 200 while new calls are taken and
503 from the first SIGTERM on. Beside these there are the usual ` + "`go_…` and `process_…`" + ` figures. What happens one by one is in [the log](log.md).

| name | type | label | meaning |
|---|---|---|---|
`

func TestMetricsAreDocumented(t *testing.T) {
	const path = "../docs/metrics.md"
	var b strings.Builder
	b.WriteString(metricsHead)
	for _, m := range metrics() {
		kind := "gauge"
		if m.kind == prometheus.CounterValue {
			kind = "counter"
		}
		if strings.HasSuffix(m.name, "_total") != (kind == "counter") {
			t.Errorf("%s is a %s", m.name, kind)
		}
		label := m.label
		if label != "" {
			label = "`" + label + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.name, kind, label, m.help)
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
		t.Error("docs/metrics.md is not what the table says; run `go test ./server -update`")
	}
}
