// Digits that come in INFO, of telephones that know no telephone events.

package conference

import "strings"

// The types of such a body. There is no standard for either.
const (
	signalType = "application/dtmf-relay" // "Signal=5", and how long
	digitType  = "application/dtmf"       // "5"
)

// signalled returns the digit in the body of an INFO, 0 if there is none.
func signalled(contentType string, body []byte) byte {
	value := ""
	switch {
	case len(body) > 256:
	case strings.EqualFold(contentType, digitType):
		value = string(body)
	case strings.EqualFold(contentType, signalType):
		for line := range strings.Lines(string(body)) {
			name, v, ok := strings.Cut(line, "=")
			if ok && strings.EqualFold(strings.TrimSpace(name), "signal") {
				value = v
				break
			}
		}
	}
	switch value = strings.TrimSpace(value); {
	case value == "10":
		return '*'
	case value == "11":
		return '#'
	case len(value) == 1 && strings.Contains("0123456789*#", value):
		return value[0]
	}
	return 0
}
