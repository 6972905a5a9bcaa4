// The languages of the command line. The English text in the code is the key; german.go, german_object.go and german_route.go hold the others.

package terminal

import (
	"fmt"
	"strings"
)

// language is one in which the program speaks.
type language string

// The languages there are.
const (
	english language = "en"
	german  language = "de"
)

// chooseLanguage follows --lang, then the locale of the environment (LC_ALL, LC_MESSAGES, LANG, the first that is set). It looks at the bare arguments, because the help texts
// must be there before they are parsed.
func chooseLanguage(args []string, env func(string) (string, bool)) language {
	for i, a := range args {
		if v, ok := strings.CutPrefix(a, "--lang="); ok {
			return languageOf(v)
		}
		if a == "--lang" && i+1 < len(args) {
			return languageOf(args[i+1])
		}
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v, ok := env(name); ok && v != "" {
			return languageOf(v)
		}
	}
	return english
}

// languageOf reads "de", "de_DE.UTF-8" and their like; everything unknown is English.
func languageOf(locale string) language {
	if strings.HasPrefix(strings.ToLower(locale), string(german)) {
		return german
	}
	return english
}

// Text gives a text in the language of the user, with args put in as by fmt.Sprintf.
func (t *Terminal) Text(text string, args ...any) string {
	if t.language == german {
		if said, ok := germanTexts[text]; ok {
			text = said
		} else if said, ok := germanObjectTexts[text]; ok {
			text = said
		} else if said, ok := germanRouteTexts[text]; ok {
			text = said
		}
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}
