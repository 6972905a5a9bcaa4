// What is about people is not kept for ever: call records and recordings go when their time is over.

package server

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// tidyInterval is how often is looked for what is too old.
const tidyInterval = time.Hour

// RecordingFolder is where recorded calls and conferences lie in a data folder.
func RecordingFolder(data string) string { return filepath.Join(data, "recordings") }

func (s *Server) recordings() string { return RecordingFolder(s.Config.Data) }

// tidy removes what is too old, now and every hour, until ctx ends.
func (s *Server) tidy(ctx context.Context) {
	tick := time.NewTicker(tidyInterval)
	defer tick.Stop()
	for {
		s.forget(ctx, time.Now())
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// forget removes what is too old at a time.
func (s *Server) forget(ctx context.Context, now time.Time) {
	if days := s.Config.Keep.Records; days > 0 {
		n, err := s.Store.ForgetCDRs(ctx, now.AddDate(0, 0, -days))
		if err != nil && ctx.Err() == nil {
			s.log.Error("old call records were not removed", "err", err)
		}
		if n > 0 {
			s.log.Info("old call records were removed", "records", n, "days", days)
		}
	}
	if days := s.Config.Keep.Recordings; days > 0 {
		n, err := removeOld(s.recordings(), now.AddDate(0, 0, -days))
		if err != nil {
			s.log.Error("old recordings were not removed", "err", err)
		}
		if n > 0 {
			s.log.Info("old recordings were removed", "files", n, "days", days)
		}
	}
}

// removeOld removes the files of a folder that were last written before a time, and returns how many.
func removeOld(folder string, before time.Time) (n int, err error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	for _, e := range entries {
		info, ferr := e.Info()
		if ferr != nil || !info.Mode().IsRegular() || !info.ModTime().Before(before) {
			continue
		}
		if ferr := os.Remove(filepath.Join(folder, e.Name())); ferr != nil {
			err = errors.Join(err, ferr)
			continue
		}
		n++
	}
	return n, err
}
