// Files of sound: `sipwerk recording files` is what was recorded, `sipwerk music` what is played to those who wait.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/media/codec/opus"
	"github.com/sipwerk/sipwerk/server"
	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/control"
	"github.com/sipwerk/sipwerk/server/music"
)

func (p *program) newRecordingFiles() *cobra.Command {
	var account string
	c := &cobra.Command{
		Use:     "files",
		Short:   p.Text("List recorded calls and conferences"),
		Long:    p.Text("Lists the files in the folder recordings of the data folder, with the calls that they are of. How long they are kept is said by the setting keep.recordings."),
		Example: terminal.Examples("sipwerk recording files", "sipwerk recording files --account 200 --json | jq -r '.[].file'"),
		Args:    p.Exactly(),
	}
	load := p.Settings(c, "data", "domain")
	c.Flags().StringVar(&account, "account", "", p.Text("only those of calls in which this account took part"))
	out := p.Report(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		a, err := p.open(c.Context(), load, &account)
		if err != nil {
			return err
		}
		defer a.Close()
		list, err := server.Recordings(c.Context(), a.Store, a.config.Data)
		if err != nil {
			return err
		}
		if account != "" {
			list = slices.DeleteFunc(list, func(r server.Recorded) bool {
				return r.Call == nil || r.Call.Account != account && r.Call.Final != account
			})
		}
		return out.Write(append([]server.Recorded{}, list...), func(w io.Writer) {
			fmt.Fprintln(w, p.Text("ENDED\tSIZE\tFROM\tTALKED TO\tTIME\tFILE"))
			for i := range list {
				r := &list[i]
				call := []string{"", "", ""}
				if r.Call != nil {
					call = []string{caller(r.Call), r.Call.Final, r.Call.Talked().Round(time.Second).String()}
				}
				fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", r.Ended.Local().Format(time.DateTime), r.Size, strings.Join(call, "\t"), r.File)
			}
		})
	}
	return c
}

func (p *program) newMusic() *cobra.Command {
	c := &cobra.Command{
		Use:   "music",
		Short: p.Text("Keep the music of those who wait"),
		Long: p.Text("Music is a file (WAV, or Opus in Ogg) or a stream (the same, or PCM, over http or https). Files lie in the folder music of the data folder.\n" +
			"What is played where is said by `dialplan set --music` and `--park-music`, `queue set --music`, `trunk set --music` and the setting media.music."),
	}
	c.AddCommand(p.newMusicList(), p.newMusicAdd(), p.newMusicTest(), p.newMusicRemove())
	return c
}

// shelf is a command on the folder of music.
func (p *program) shelf(load func() (*config.Config, error), f func(c *cobra.Command, s *music.Shelf, args []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		cfg, err := load()
		if err != nil {
			return err
		}
		library, _ := opus.Open() // it is heard without, too
		s := &music.Shelf{Folder: music.Folder(cfg.Data), Opus: library}
		defer s.Close()
		return f(c, s, args)
	}
}

// piece is how a listing shows music.
type piece struct {
	Music string      `json:"music"`
	Used  []string    `json:"used"`
	State music.State `json:"state,omitempty"` // of a stream that the running server knows
	Error string      `json:"error,omitempty"`
}

func (p *program) newMusicList() *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   p.Text("List music, and where it is played"),
		Long:    p.Text("Lists the files in the folder and what the settings of the domain name, with how each stream is while a server runs."),
		Example: terminal.Examples("sipwerk music list", "sipwerk music list --json"),
		Args:    p.Exactly(),
	}
	load := p.Settings(c, "data", "domain")
	out := p.Report(c)
	c.RunE = p.shelf(load, func(c *cobra.Command, s *music.Shelf, _ []string) error {
		all, err := p.pieces(c, s, load)
		if err != nil {
			return err
		}
		return out.Write(all, func(w io.Writer) {
			fmt.Fprintln(w, p.Text("MUSIC\tPLAYED BY\tSTATE"))
			for _, m := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\n", m.Music, strings.Join(m.Used, ", "), strings.TrimSpace(string(m.State)+" "+m.Error))
			}
		})
	})
	return c
}

// pieces are the files of the folder and the music that settings name.
func (p *program) pieces(c *cobra.Command, s *music.Shelf, load func() (*config.Config, error)) ([]piece, error) {
	var uses map[string][]string
	var states map[string]music.Report
	if err := p.with(load, func(c *cobra.Command, a *accounts, _ string) error {
		set, err := a.Settings(c.Context(), a.domain)
		if err != nil {
			return err
		}
		uses = server.MusicOf(set)
		states, err = streams(c.Context(), a.config.Data)
		return err
	})(c, nil); err != nil {
		return nil, err
	}
	files, err := s.Files()
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if uses[f] == nil {
			uses[f] = []string{}
		}
	}
	all := []piece{}
	for _, name := range slices.Sorted(maps.Keys(uses)) {
		state := states[name]
		all = append(all, piece{name, uses[name], state.State, state.Error})
	}
	return all, nil
}

// streams are those that the server knows which runs on the data folder; none without a server.
func streams(ctx context.Context, data string) (map[string]music.Report, error) {
	way, err := server.DialControl(data)
	if errors.Is(err, control.ErrNoServer) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all, err := server.Reports[music.Report](ctx, way, "/music")
	states := make(map[string]music.Report, len(all))
	for _, r := range all {
		states[r.URL] = r
	}
	return states, err
}

func (p *program) newMusicAdd() *cobra.Command {
	var name string
	c := &cobra.Command{
		Use:     "add FILE",
		Short:   p.Text("Copy a file into the folder, if it can be played"),
		Long:    p.Text("WAV and Opus in Ogg can be played. MP3 cannot; `ffmpeg -i music.mp3 -ac 1 music.opus` makes Opus of it."),
		Example: terminal.Examples("sipwerk music add hold.wav", "sipwerk music add /tmp/new.opus --name winter.opus"),
		Args:    p.Exactly("FILE"),
	}
	load := p.Settings(c, "data")
	c.Flags().StringVar(&name, "name", "", p.Text("what it is called there; otherwise as it is"))
	c.RunE = p.shelf(load, func(_ *cobra.Command, s *music.Shelf, args []string) error {
		if name == "" {
			name = filepath.Base(args[0])
		}
		return s.Add(args[0], name)
	})
	return c
}

func (p *program) newMusicTest() *cobra.Command {
	c := &cobra.Command{
		Use:     "test MUSIC",
		Short:   p.Text("Try whether music can be played"),
		Long:    p.Text("Reads a file, or listens to a stream for two seconds, and says what it is and how loud."),
		Example: terminal.Examples("sipwerk music test hold.wav", "sipwerk music test https://radio.example.net/quiet.opus"),
		Args:    p.Exactly("MUSIC"),
	}
	load := p.Settings(c, "data")
	out := p.Report(c)
	c.RunE = p.shelf(load, func(c *cobra.Command, s *music.Shelf, args []string) error {
		heard, err := s.Probe(c.Context(), args[0])
		switch {
		case err != nil:
			return err
		case out.JSON:
			return out.Encode(heard)
		case heard.Forever:
			p.Printf("%s: a stream of %s, %d dBov\n", heard.Setting, heard.Kind, heard.Level)
		default:
			p.Printf("%s: %s, %s, %d dBov\n", heard.Setting, heard.Kind, heard.Length.Round(time.Second/10), heard.Level)
		}
		return nil
	})
	return c
}

func (p *program) newMusicRemove() *cobra.Command {
	c := &cobra.Command{
		Use:     "remove NAME",
		Aliases: []string{"rm"},
		Short:   p.Text("Remove a file from the folder"),
		Long:    p.Text("A file that settings of the domain name stays where it is."),
		Example: terminal.Examples("sipwerk music remove winter.opus"),
		Args:    p.Exactly("NAME"),
	}
	load := p.Settings(c, "data", "domain")
	c.RunE = p.shelf(load, func(c *cobra.Command, s *music.Shelf, args []string) error {
		all, err := p.pieces(c, s, load)
		if err != nil {
			return err
		}
		for _, m := range all {
			if m.Music == args[0] && len(m.Used) > 0 {
				return p.Errorf("%s is played by %s; change that first", args[0], strings.Join(m.Used, ", "))
			}
		}
		return s.Remove(args[0])
	})
	return c
}
