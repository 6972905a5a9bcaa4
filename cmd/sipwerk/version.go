// `sipwerk version`.

package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
)

// build says which program this is.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	System   string `json:"system"`
}

func (p *program) newVersion() *cobra.Command {
	c := &cobra.Command{
		Use:     "version",
		Short:   p.Text("Say which version this is"),
		Example: terminal.Examples("sipwerk version", "sipwerk version --json"),
		Args:    p.Exactly(),
	}
	out := p.Report(c)
	c.RunE = func(*cobra.Command, []string) error {
		b := readBuild()
		if out.JSON {
			return out.Encode(b)
		}
		p.Printf("sipwerk %s, %s, %s\n", b.Version, b.Go, b.System)
		return nil
	}
	return c
}

// readBuild reads what the compiler wrote into the program.
func readBuild() build {
	b := build{Version: "unknown", Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Version = info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Revision = s.Value
		}
	}
	return b
}
