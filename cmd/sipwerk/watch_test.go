package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/server/object"
)

// TestWatch: a room is shown once, as text and as JSON; a refusal is said.
func TestWatch(t *testing.T) {
	s := startServer(t, filepath.Join(t.TempDir(), "data"), "alice")
	if _, err := s.Store.Edit(t.Context(), "example.org", func(set *object.Settings) error { set.Put(&object.Room{Number: "4000", Title: "Sales"}); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	at := " --user alice@example.org --password secret --expires 0 --server " + s.Listeners()[0].Addr.String()
	line{args: "watch sip:4000@example.org" + at, want: "# terminated;reason=timeout\n<?xml…<display-text>Sales</display-text>…</conference-info>\n"}.run(t, "", nil)
	line{args: "watch sip:4000@example.org --json" + at, want: `{"state":"terminated;reason=timeout","type":"application/conference-info+xml","body":"…"}` + "\n"}.run(t, "", nil)
	line{args: "watch sip:4001@example.org" + at, code: 3, fails: "sipwerk: the subscription was refused: 404 Not Found\n"}.run(t, "", nil)
	line{args: "watch sip:4000@example.org --event presence.winfo --lang de" + at, code: 3, fails: "sipwerk: das Abonnement wurde abgelehnt: 489 Bad Event\n"}.run(t, "", nil)
	line{args: "watch sip:alice@example.org --event dialog" + at, want: "# terminated;reason=timeout\n<?xml…<dialog-info …state=\"full\" entity=\"sip:alice@example.org\">\n</dialog-info>\n"}.run(t, "", nil)
	line{args: "watch", code: 2, fails: "sipwerk: give URI\n…"}.run(t, "", nil)

	// Until Ctrl-C.
	ctx, cancel := context.WithCancel(t.Context())
	out := &awaited{text: "</conference-info>", seen: cancel}
	root := programWith(out, out, nil).newRoot()
	root.SetArgs(strings.Fields("watch sip:4000@example.org" + strings.Replace(at, "--expires 0", "--expires 10m", 1)))
	if err := root.ExecuteContext(ctx); err != nil {
		t.Error(err)
	}
	if !strings.Contains(out.String(), "# active;expires=") {
		t.Errorf("shown:\n%s", out)
	}
}

// awaited is an output that calls seen when it holds a text.
type awaited struct {
	bytes.Buffer
	text string
	seen func()
}

func (a *awaited) Write(b []byte) (int, error) {
	n, err := a.Buffer.Write(b)
	if strings.Contains(a.String(), a.text) {
		a.seen()
	}
	return n, err
}
