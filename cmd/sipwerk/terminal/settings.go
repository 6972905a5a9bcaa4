// The configuration as the commands see it: one flag for each field, and where the file is.

package terminal

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/server/config"
)

// systemFile is read if it exists and no other is named.
const systemFile = "/etc/sipwerk/sipwerk.yaml"

// setting is the flag of one field: it keeps the text for config.Load, which judges it.
type setting struct {
	field config.Field
	given map[string]string
}

func (s setting) String() string { return "" }
func (s setting) Type() string   { return "" }

// Set keeps v; a list given in several flags is joined.
func (s setting) Set(v string) error {
	if before, twice := s.given[s.field.Name]; twice && s.field.List() {
		v = before + "," + v
	}
	s.given[s.field.Name] = v
	return nil
}

// Settings gives a command the flags of the fields called names, of all fields if there are none, and returns the function that loads the configuration.
func (t *Terminal) Settings(c *cobra.Command, names ...string) func() (*config.Config, error) {
	given := make(map[string]string)
	var file string
	c.Flags().StringVar(&file, "config", "", t.Text("the configuration file (otherwise SIPWERK_CONFIG, then /etc/sipwerk/sipwerk.yaml if it exists)"))
	wanted := " " + strings.Join(names, " ") + " "
	for _, f := range config.Default(t.Env, t.Root).Fields() {
		if len(names) > 0 && !strings.Contains(wanted, " "+f.Name+" ") {
			continue
		}
		usage := t.Text(f.Short())
		if v := f.Value.String(); v != "" {
			usage += " (" + v + ")"
		}
		c.Flags().Var(setting{f, given}, f.Flag(), usage)
	}
	return func() (*config.Config, error) {
		return config.Load(config.Input{File: t.configFile(file), Env: t.Env, Flags: given, Root: t.Root})
	}
}

// configFile returns the file to read, "" for none.
func (t *Terminal) configFile(flag string) string {
	if flag != "" {
		return flag
	}
	if v, ok := t.Env("SIPWERK_CONFIG"); ok && v != "" {
		return v
	}
	if _, err := os.Stat(systemFile); err == nil {
		return systemFile
	}
	return ""
}
