// `sipwerk recording files`: what was recorded.

package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/server"
)

func (p *program) newRecordingFiles() *cobra.Command {
	var asJSON bool
	var account string
	c := &cobra.Command{
		Use:     "files",
		Short:   p.tr("List recorded calls and conferences"),
		Long:    p.tr("Lists the files in the folder recordings of the data folder, with the calls that they are of. How long they are kept is said by the setting keep.recordings."),
		Example: examples("sipwerk recording files", "sipwerk recording files --account 200 --json | jq -r '.[].file'"),
		Args:    p.exactly(),
	}
	load := p.settings(c, "data", "domain")
	c.Flags().StringVar(&account, "account", "", p.tr("only those of calls in which this account took part"))
	c.Flags().BoolVar(&asJSON, "json", false, p.tr("write JSON"))
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := load()
		if err != nil {
			return err
		}
		a, err := p.open(c.Context(), load, &account)
		if err != nil {
			return err
		}
		defer a.Close()
		list, err := server.Recordings(c.Context(), a.Store, cfg.Data)
		if err != nil {
			return err
		}
		if account != "" {
			list = slices.DeleteFunc(list, func(r server.Recorded) bool {
				return r.Call == nil || r.Call.Account != account && r.Call.Final != account
			})
		}
		if asJSON {
			return json.NewEncoder(p.out).Encode(append([]server.Recorded{}, list...))
		}
		w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		defer w.Flush()
		fmt.Fprintln(w, p.tr("ENDED\tSIZE\tFROM\tTALKED TO\tTIME\tFILE"))
		for i := range list {
			r := &list[i]
			call := []string{"", "", ""}
			if r.Call != nil {
				call = []string{caller(r.Call), r.Call.Final, r.Call.Talked().Round(time.Second).String()}
			}
			fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", r.Ended.Local().Format(time.DateTime), r.Size, strings.Join(call, "\t"), r.File)
		}
		return nil
	}
	return c
}
