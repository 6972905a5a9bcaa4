// `sipwerk serve`: the server, from the first line to SIGTERM.

package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/internal/lull"
	"github.com/sipwerk/sipwerk/server"
	"github.com/sipwerk/sipwerk/server/config"
)

func (p *program) newServe() *cobra.Command {
	c := &cobra.Command{
		Use:   "serve",
		Short: p.Text("Run the server"),
		Long: p.Text("Runs the server until SIGTERM or SIGINT. It needs no configuration. On standard output it prints what it made, each address it listens on, and " +
			"`ready` when all listeners are up; the log goes to standard error.\n" +
			"A signal refuses new calls and lets running ones go on as long as --drain says; a second signal ends them at once."),
		Example: terminal.Examples("sipwerk serve", "sipwerk serve --domain example.org --data /srv/sipwerk",
			"sipwerk serve --listen udp://127.0.0.1:5060 --listen tls://127.0.0.1:0 --http off", "SIPWERK_LOG_LEVEL=debug sipwerk serve --config sipwerk.yaml"),
		Args: p.Exactly(),
	}
	load := p.Settings(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := load()
		if err != nil {
			return err
		}
		signals := catchSignals()
		defer signal.Stop(signals)
		s, err := server.Start(c.Context(), cfg, p.options(cfg))
		if err != nil {
			return err
		}
		leaveStart()
		p.announce(s)
		running, stopped := context.WithCancel(c.Context())
		var lulls sync.WaitGroup
		lulls.Go(func() { lull.Collect(running) })
		untilSignal(c.Context(), signals, s)
		stopped()
		lulls.Wait()
		return nil
	}
	return c
}

// leaveStart gives back what only the start has used. Pools keep theirs for one collection more, and the heap would grow to twice as much before the next one.
func leaveStart() {
	runtime.GC()
	debug.FreeOSMemory()
}

// options are those of every server this program starts.
func (p *program) options(cfg *config.Config) server.Options {
	return server.Options{Log: server.NewLog(cfg.Log, p.Err), Agent: "Sipwerk"}
}

// announce prints what was made and where the server listens, and then that it is ready. The last line is the same in every language: scripts wait for it.
func (p *program) announce(s *server.Server) {
	if s.Made.Data {
		p.Printf("made the data folder %s\n", s.Config.Data)
	}
	if s.Made.Domain {
		p.Printf("made the domain %s\n", s.Domain.Name)
	}
	if s.Made.Authority != "" {
		p.Printf("made a certificate authority; telephones that check certificates need %s\n", s.Made.Authority)
	}
	for _, l := range s.Listeners() {
		p.Printf("listening on %s\n", l.URL())
	}
	p.Out.Write([]byte("ready\n"))
}

// catchSignals must be called before anyone is told that the server is ready: from then on it may be asked to stop.
func catchSignals() chan os.Signal {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	return signals
}

// untilSignal waits for SIGTERM or SIGINT and stops the server; a second signal stops it at once.
func untilSignal(ctx context.Context, signals <-chan os.Signal, s *server.Server) {
	select {
	case <-signals:
	case <-ctx.Done():
	}
	stopping, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Stop(stopping)
	}()
	select {
	case <-signals:
		cancel()
		<-done
	case <-done:
	}
}
