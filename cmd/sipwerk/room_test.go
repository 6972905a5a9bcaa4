package main

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/sipwerk/sipwerk/media/audio"
)

func TestRoom(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	env := map[string]string{"SIPWERK_DATA": dir, "SIPWERK_DOMAIN": "example.org"}
	for _, l := range []line{
		{args: "account add alice", want: "…"},
		{args: "room list", want: "ROOM  TITLE  SETTINGS\n"},
		{args: "room list --json", want: "[]\n"},
		{args: "room add 4000 --title Sales --pin 1234 --owner alice --max 9", want: "room    4000\ndomain  example.org\n"},
		{args: "room add board --pin new --moderator-pin new", want: "room           board\ndomain         example.org\npin            …\nmoderator-pin  …\nA PIN is shown this once and not kept.\n"},
		{args: "room add conference --factory --json", want: `{"domain":"example.org","number":"conference",…"factory":true}` + "\n"},
		{args: "room add alice", code: 1, fails: "sipwerk: room alice: number: alice is taken by the account of this number; choose another\n"},
		{args: "room add 4001 --pin 12", code: 1, fails: "sipwerk: room 4001: pin: is no PIN; write 4 to 16 digits, new to have one made, or none\n"},
		{args: "account add 4000", code: 1, fails: "sipwerk: 4000@example.org exists already; …"},
		{args: "room set 4000 --pin none --record --wait-for-moderator --mute-on-entry --quiet", want: "room    4000\n…"},
		{args: "room set 4000 --json --moderator-pin new", want: `{…"title":"Sales","pin":false,"moderator-pin":true,"owners":["alice"],"max":9,…"new-moderator-pin":"…"}` + "\n"},
		{args: "room set 9", code: 1, fails: "sipwerk: room 9@example.org does not exist; `sipwerk room list` shows what there is, `sipwerk room add 9` makes it\n"},
		{args: "room list", want: "ROOM                    TITLE  SETTINGS\n4000@example.org        Sales  moderator-pin owner=alice max=9 wait-for-moderator mute-on-entry quiet record\nboard@example.org" +
			"              pin moderator-pin\nconference@example.org         factory\n"},
		{args: "room show board", want: "…DIAL    WHO         IT\n*6      everybody   mutes or unmutes yourself\n…"},
		{args: "room show board --lang de", want: "…*6      alle         schaltet Sie stumm oder wieder laut\n…"},
		{args: "room show board --json", want: `{…"pin":true,…}` + "\n"},
		{args: "room show 9", code: 1, fails: "sipwerk: room 9@example.org does not exist; …"},
		{args: "room remove board", want: "board@example.org is removed\n"},
		{args: "room remove board", code: 1, fails: "sipwerk: room board@example.org does not exist; …"},
		{args: "room add", code: 2, fails: "sipwerk: give NUMBER\n`sipwerk room add --help` tells more\n"},
	} {
		l.run(t, dir, env)
	}
}

// TestMusic: music is added when it can be played, tried, listed with what plays it, and removed when nothing does.
func TestMusic(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	env := map[string]string{"SIPWERK_DATA": dir, "SIPWERK_DOMAIN": "example.org"}
	wav := filepath.Join(t.TempDir(), "new.wav")
	w, err := audio.Encoding{}.Create(wav, 16000, 1)
	if err == nil {
		err = errors.Join(w.WriteSamples(make([]int16, 24000)), w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []line{
		{args: "account add alice", want: "…"},
		{args: "music list --json", want: "[]\n"},
		{args: "music test " + wav, want: wav + ": WAV, 1.5s, -127 dBov\n"},
		{args: "music add " + wav + " --name hold.wav", want: ""},
		{args: "music add " + wav + " --name hold.wav", code: 1, fails: "sipwerk: music: …hold.wav: file exists\n"},
		{args: "music add room_test.go", code: 1, fails: "sipwerk: music room_test.go: it is neither WAV nor Opus in Ogg…"},
		{args: "music test hold.wav --json", want: `{"setting":"hold.wav","kind":"WAV","length":1500000000,"level":-127,"forever":false}` + "\n"},
		{args: "music test http://127.0.0.1:1/none", code: 1, fails: "sipwerk: music: …"},
		{args: "dialplan set --music hold.wav --park-music http://radio.example.net/quiet", want: "…"},
		{args: "queue add 700 --agent alice --music hold.wav", want: "…"},
		{args: "queue set 700 --music ftp://radio.example.net/quiet", code: 1, fails: "sipwerk: queue 700: music: \"ftp://radio.example.net/quiet\" is no stream of the web; write an http or https address\n"},
		{args: "music list", want: "MUSIC                           PLAYED BY                  STATE\nhold.wav                        dialplan music, queue 700  \nhttp://radio.example.net/quiet  dialplan park-music        \n"},
		{args: "music remove hold.wav", code: 1, fails: "sipwerk: hold.wav is played by dialplan music, queue 700; change that first\n"},
		{args: "dialplan set --music tune", want: "…"},
		{args: "queue set 700 --music none", want: "…"},
		{args: "music list --lang de", want: "MUSIK …hold.wav …"},
		{args: "music remove hold.wav", want: ""},
		{args: "music list --json", want: `[{"music":"http://radio.example.net/quiet","used":["dialplan park-music"]}]` + "\n"},
	} {
		l.run(t, dir, env)
	}
}
