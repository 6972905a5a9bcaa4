// Orders to a running server: who may give them, and what comes back.

package control

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// controlled opens the socket of a folder with a few orders.
func controlled(t *testing.T, data string) (left chan struct{}) {
	t.Helper()
	c := New()
	left = make(chan struct{})
	c.Handle("GET /count", func(_ context.Context, _ *http.Request, reply func(any) error) error {
		for i := range 3 {
			if err := reply(i); err != nil {
				return err
			}
		}
		return nil
	})
	c.Handle("POST /fail/{what}", func(_ context.Context, r *http.Request, reply func(any) error) error {
		var in struct{ Why string }
		if err := Decode(r, &in); err != nil {
			return err
		}
		if err := reply("begun"); err != nil {
			return err
		}
		return errors.New(r.PathValue("what") + " failed: " + in.Why)
	})
	c.Handle("GET /wait", func(ctx context.Context, _ *http.Request, reply func(any) error) error {
		if err := reply("waiting"); err != nil {
			return err
		}
		<-ctx.Done()
		close(left)
		return nil
	})
	if err := c.Listen(data); err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	c.Serve(&running)
	t.Cleanup(func() {
		c.Close()
		running.Wait()
		if _, err := os.Stat(filepath.Join(data, socket)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the socket is left: %v", err)
		}
	})
	return left
}

func TestControl(t *testing.T) {
	data := t.TempDir()
	if _, err := Dial(data); !errors.Is(err, ErrNoServer) {
		t.Fatalf("without a server: %v", err)
	}
	if err := os.WriteFile(filepath.Join(data, socket), nil, 0o600); err != nil { // what a crash has left
		t.Fatal(err)
	}
	left := controlled(t, data)
	if info, err := os.Stat(filepath.Join(data, socket)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket is %v, %v", info.Mode(), err)
	}
	c, err := Dial(data)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	each := func(line json.RawMessage) error {
		lines = append(lines, string(line))
		return nil
	}
	if err := c.Do(t.Context(), "GET", "/count", nil, each); err != nil || strings.Join(lines, " ") != "0 1 2" {
		t.Errorf("counted %q, %v", lines, err)
	}
	lines = nil
	if err := c.Do(t.Context(), "POST", "/fail/it", map[string]string{"Why": "no reason"}, each); err == nil || err.Error() != "it failed: no reason" || len(lines) != 1 {
		t.Errorf("%q, %v", lines, err)
	}
	if err := c.Do(t.Context(), "POST", "/fail/it", map[string]string{"What": "x"}, each); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("an unknown field: %v", err)
	}
	if err := c.Do(t.Context(), "GET", "/unknown", nil, each); err == nil || !strings.Contains(err.Error(), "does not know") {
		t.Errorf("an unknown order: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = c.Do(ctx, "GET", "/wait", nil, func(json.RawMessage) error {
		cancel()
		return nil
	})
	if err == nil {
		t.Error("an order that was given up succeeded")
	}
	<-left
}

// A data folder may lie deeper than the name of a socket may be long.
func TestControlFarDown(t *testing.T) {
	data := filepath.Join(t.TempDir(), strings.Repeat("deep/", 30))
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	controlled(t, data)
	c, err := Dial(data)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := c.Do(t.Context(), "GET", "/count", nil, func(json.RawMessage) error { n++; return nil }); err != nil || n != 3 {
		t.Errorf("%d lines, %v", n, err)
	}
}
