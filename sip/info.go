// Info-Package and Recv-Info: what an INFO is about, and which ones are taken. RFC 6086 §7.

package sip

// InfoPackage is the value of Info-Package, or one value of Recv-Info. Packages are the same if their names are, without regard to case; parameters say how.
type InfoPackage struct {
	Name   string
	Params Params
}

// ParseInfoPackage parses a value. The error is a [*ParseError].
func ParseInfoPackage(s string) (InfoPackage, error) {
	name, p, err := splitParams("Info-Package", s, classToken)
	return InfoPackage{name, p}, err
}

// TakesInfo reports whether the Recv-Info of m lists the package called name. RFC 6086 §5.2.
func (m *Message) TakesInfo(name string) bool {
	for s := range m.Values(HeaderRecvInfo) {
		if p, err := ParseInfoPackage(s); err == nil && sameFold(p.Name, name) {
			return true
		}
	}
	return false
}

// String prints the value.
func (p InfoPackage) String() string {
	return string(appendParams([]byte(p.Name[:classToken.span(p.Name)]), p.Params))
}
