// Command speak makes the files of prompts: what en.txt and de.txt say, spoken by espeak-ng. A piece whose text has not changed is kept, so that the files stay the same
// wherever the command runs. It runs in the folder media/prompt.
package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/prompt"
)

func main() {
	for _, language := range prompt.Languages() {
		if err := speak(language); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// speak makes the file of one language.
func speak(language string) error {
	lines, err := prompt.Texts(language)
	if err != nil {
		return err
	}
	file := language + ".pack"
	before := map[string]prompt.Piece{}
	if old, err := os.ReadFile(file); err == nil && len(old) > 0 {
		if before, err = prompt.ReadPack(old); err != nil {
			return err
		}
	}
	pieces := make([]prompt.Piece, 0, len(lines))
	spoken, samples := 0, 0
	for _, line := range lines {
		p, ok := before[line.Name]
		if !ok || p.Hash != prompt.HashText(line.Text) {
			pcm, err := say(language, line.Text)
			if err != nil {
				return fmt.Errorf("%s: %w", line.Name, err)
			}
			p = prompt.NewPiece(line.Name, line.Text, pcm)
			spoken++
		}
		samples += p.Samples
		pieces = append(pieces, p)
	}
	fmt.Printf("%s: %d pieces, %d spoken anew, %d seconds\n", file, len(pieces), spoken, samples/prompt.Rate)
	return os.WriteFile(file, prompt.AppendPack(nil, pieces), 0o644)
}

// voices of espeak-ng.
func voice(language string) string {
	if language == prompt.German {
		return "de"
	}
	return "en-gb"
}

const (
	speed = "155"     // words a minute
	loud  = 18000     // of the loudest sample
	quiet = 200       // what is quieter at both ends is cut off
	edge  = 8000 / 40 // samples that are left there
)

// say speaks a text.
func say(language, text string) ([]int16, error) {
	out, err := exec.Command("espeak-ng", "-v", voice(language), "-s", speed, "--stdout", text).Output()
	if err != nil {
		return nil, fmt.Errorf("espeak-ng: %w", err)
	}
	r, err := audio.NewWAVReader(bytes.NewReader(out))
	if err != nil {
		return nil, err
	}
	s, err := audio.AtRate(r, r.Rate(), prompt.Rate)
	if err != nil {
		return nil, err
	}
	pcm, err := audio.ReadAll(s, 60*prompt.Rate)
	return level(trim(pcm)), err
}

// trim cuts off the silence at both ends.
func trim(pcm []int16) []int16 {
	first, last := len(pcm), 0
	for i, s := range pcm {
		if s > quiet || s < -quiet {
			first, last = min(first, i), i
		}
	}
	return pcm[max(first-edge, 0):min(last+edge, len(pcm))]
}

// level makes all pieces as loud.
func level(pcm []int16) []int16 {
	peak := 1
	for _, s := range pcm {
		peak = max(peak, int(s), -int(s))
	}
	for i, s := range pcm {
		pcm[i] = int16(int(s) * loud / peak)
	}
	return pcm
}
