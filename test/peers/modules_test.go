// What the browsers' telephones are made of, unpacked once for all tests: npm takes its time.

package peers

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/test/peers/browser"
)

// shared is a folder that lasts as long as the tests.
var shared string

func TestMain(m *testing.M) {
	os.Exit(inShared(m))
}

func inShared(m *testing.M) int {
	var err error
	if shared, err = os.MkdirTemp("", "peers-*"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(shared)
	return m.Run()
}

// modules is the folder for [browser.Start].
var modules = sync.OnceValues(func() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	dir := filepath.Join(shared, "browser")
	return dir, browser.Install(ctx, dir)
})
