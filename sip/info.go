// Info-Package and Recv-Info: what an INFO is about, and which ones are taken. RFC 6086 §7.

package sip

// InfoPackage is the value of Info-Package, or one value of Recv-Info.
type InfoPackage struct {
	Name   string
	Params Params
}

// ParseInfoPackage parses a value. The error is a [*ParseError].
func ParseInfoPackage(s string) (InfoPackage, error) {
	name, p, err := splitParams("Info-Package", s, classToken)
	return InfoPackage{name, p}, err
}

// Same reports whether two values are of one package: their names are the same without regard to case; parameters only say how. RFC 6086 §7.
func (p InfoPackage) Same(q InfoPackage) bool { return sameFold(p.Name, q.Name) }

// String prints the value.
func (p InfoPackage) String() string {
	return string(appendParams([]byte(p.Name[:classToken.span(p.Name)]), p.Params))
}
