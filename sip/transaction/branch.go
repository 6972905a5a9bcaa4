// The branch parameter of our requests: it names the row that waits for the response. RFC 3261 §8.1.1.7.

package transaction

import "github.com/sipwerk/sipwerk/sip"

// A branch is the cookie, the node (2 digits), "-", the TransactionID (13) and a random number (13), so that nobody who has not seen the request can answer it.
const (
	digits     = "0123456789abcdefghijklmnopqrstuv"
	wordDigits = 13
	branchSize = len(sip.MagicCookie) + 3 + 2*wordDigits
)

func appendBranch(b []byte, node uint16, tx sip.TransactionID, nonce uint64) []byte {
	return appendWord(appendWord(appendBranchStart(b, node), uint64(tx)), nonce)
}

func appendBranchStart(b []byte, node uint16) []byte {
	b = append(b, sip.MagicCookie...)
	return append(b, digits[node>>5&31], digits[node&31], '-')
}

func appendWord(b []byte, n uint64) []byte {
	for shift := 5 * (wordDigits - 1); shift >= 0; shift -= 5 {
		b = append(b, digits[n>>shift&31])
	}
	return b
}

// parseBranch undoes appendBranch; ok is false for a branch that is not of this node.
func parseBranch(branch string, node uint16) (tx sip.TransactionID, nonce uint64, ok bool) {
	if len(branch) != branchSize || branch[:len(sip.MagicCookie)] != sip.MagicCookie {
		return 0, 0, false
	}
	branch = branch[len(sip.MagicCookie):]
	if branch[0] != digits[node>>5&31] || branch[1] != digits[node&31] || branch[2] != '-' {
		return 0, 0, false
	}
	id, ok1 := parseWord(branch[3 : 3+wordDigits])
	nonce, ok2 := parseWord(branch[3+wordDigits:])
	return sip.TransactionID(id), nonce, ok1 && ok2
}

func parseWord(s string) (n uint64, ok bool) {
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			n = n<<5 | uint64(c-'0')
		case c >= 'a' && c <= 'v':
			n = n<<5 | uint64(c-'a'+10)
		default:
			return 0, false
		}
	}
	return n, true
}
