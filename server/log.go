// The log: structured lines, one Write each.

package server

import (
	"io"
	"log/slog"

	"github.com/sipwerk/sipwerk/server/config"
)

// NewLog returns the log that the configuration asks for: slog with the level and format of its words, written to w.
func NewLog(cfg config.Log, w io.Writer) *slog.Logger {
	var l slog.Level
	// The words of config.Log are those of slog; validation let no other through.
	_ = l.UnmarshalText([]byte(cfg.Level))
	opt := &slog.HandlerOptions{Level: l}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opt))
	}
	return slog.New(slog.NewTextHandler(w, opt))
}
