package main

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"sync"
	"testing"

	"github.com/sipwerk/sipwerk/server"
	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/control"
	"github.com/sipwerk/sipwerk/server/store"
)

// startServer starts a server of example.org on a data folder, in this process, with one account whose password is "secret". It is stopped at the end of the test.
func startServer(t *testing.T, data, user string) *server.Server {
	t.Helper()
	cfg, err := config.Load(config.Input{Flags: map[string]string{"data": data, "listen": "udp://127.0.0.1:0", "http": "off", "domain": "example.org", "drain": "0s"}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.Start(t.Context(), cfg, server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop(context.Background()) })
	if err := s.Store.AddAccount(t.Context(), store.Account{Domain: "example.org", User: user}, "secret"); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestQueueStatus: what a running server knows of its queues, and orders for agents.
func TestQueueStatus(t *testing.T) {
	data := t.TempDir()
	at := " --data " + data
	line{args: "queue status" + at, code: 1, fails: "sipwerk: no server runs on this data folder…"}.run(t, "", nil)
	s := startServer(t, data, "200")
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	line{args: "queue add 700 --title Support --agent 200" + at, want: "…"}.run(t, "", nil)
	line{args: "queue status" + at, want: "QUEUE              WAITING       LONGEST  SERVED  ABANDONED  ELSEWHERE  WAIT  TALK  IN TIME\n700@example.org    0             0s       0       0          0          0s    0s    100 %\n" +
		"  200@example.org  no telephone           0\n"}.run(t, "", nil)
	line{args: "trunk add telco --server 127.0.0.1:9 --user u --ca " + filepath.Join(data, "none.pem") + at, want: "…",
		fails: "the trunk telco cannot be used as it is set: ca: …none.pem: no such file or directory\n"}.run(t, "", nil)
	line{args: "queue set 700 --title Help" + at, want: "…"}.run(t, "", nil) // is nothing of the trunk's
	line{args: "queue set 700 --title Support" + at, want: "…"}.run(t, "", nil)
	line{args: "trunk set telco --user v" + at, want: "…", fails: "the trunk telco cannot be used as it is set: ca: …\n"}.run(t, "", nil) // as before
	line{args: "trunk set telco --enabled=no" + at, want: "…"}.run(t, "", nil)
	line{args: "queue logout 200 --queue 700" + at}.run(t, "", nil)
	line{args: "queue status --json" + at, want: `[{"queue":"700@example.org","title":"Support","waiting":0,…"agents":[{"agent":"200@example.org","state":"logged out","served":0}]}]` + "\n"}.run(t, "", nil)
	line{args: "queue login 200" + at}.run(t, "", nil)
	line{args: "queue pause 200" + at}.run(t, "", nil)
	line{args: "queue status --lang de" + at, want: "…Pause…"}.run(t, "", nil)
	line{args: "queue resume 200" + at}.run(t, "", nil)
	line{args: "room status" + at, want: "ROOM  STATE  SINCE  VIDEO\n"}.run(t, "", nil)
	line{args: "room status --json" + at, want: "[]\n"}.run(t, "", nil)
	line{args: "queue login 300" + at, code: 1, fails: "sipwerk: 300 is an agent of no queue; add it with sipwerk queue set NUMBER --agent\n"}.run(t, "", nil)
	line{args: "queue login 200 --queue 701" + at, code: 1, fails: "sipwerk: 200 is no agent of the queue 701; see sipwerk queue status\n"}.run(t, "", nil)
}

// TestUnconfirmed: what is changed is saved though the running server does not take it up, and the command says why.
func TestUnconfirmed(t *testing.T) {
	const unsure = "this is saved, but the running server has not confirmed that it knows of it; it looks twice a second by itself: "
	for _, c := range []struct {
		refresh control.Command // nil: the server is an old one
		fails   string
	}{
		{nil, unsure + "the running server does not know this order: it is of another version; restart it\n"},
		{func(context.Context, *http.Request, func(any) error) error { return errors.New("the disk is gone") }, unsure + "the disk is gone\n"},
		{func(context.Context, *http.Request, func(any) error) error { return nil }, ""},
	} {
		data, way := t.TempDir(), control.New()
		if c.refresh != nil {
			way.Handle("POST /refresh", c.refresh)
		}
		if err := way.Listen(data); err != nil {
			t.Fatal(err)
		}
		var running sync.WaitGroup
		way.Serve(&running)
		line{args: "account add 200 --domain example.org --data " + data, want: "…", fails: c.fails}.run(t, "", nil)
		line{args: "account list --domain example.org --data " + data, want: "…200…"}.run(t, "", nil)
		way.Close()
		running.Wait()
	}
}
