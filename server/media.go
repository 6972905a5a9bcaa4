// What the settings say of media, as the rooms of media take it.

package server

import (
	"fmt"
	"strings"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/server/config"
)

// music is what who waits hears; nil for none.
func music(setting string) (session.Music, error) {
	switch setting {
	case config.MusicNone:
		return nil, nil
	case config.MusicTune, "":
		return session.Tune, nil
	}
	m, err := session.File(setting)
	if err != nil {
		return nil, fmt.Errorf("media.music: %w", err)
	}
	return m, nil
}

// kinds reads "account=kind"; the configuration has checked them.
func kinds(settings []string) map[string]session.Kind {
	all := make(map[string]session.Kind, len(settings))
	for _, pair := range settings {
		account, word, _ := strings.Cut(pair, "=")
		if k, err := session.ParseKind(word); err == nil {
			all[account] = k
		}
	}
	return all
}
