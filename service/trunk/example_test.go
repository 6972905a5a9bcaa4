package trunk_test

import (
	"fmt"

	"github.com/sipwerk/sipwerk/service/trunk"
)

// How a number is written for a provider in Germany that wants it as people there dial it, and how it is read.
func ExampleNumbering() {
	n := trunk.Numbering{Format: trunk.FormatNational, Country: "49", Area: "30"}
	fmt.Println(n.Outgoing("+4940123456"), n.Outgoing("+33145678"), n.Outgoing("112"))
	for _, written := range []string{"040123456", "0033145678", "4940123456", "987654"} {
		number, _ := n.Incoming(written)
		fmt.Println(number)
	}
	// Output:
	// 040123456 0033145678 112
	// +4940123456
	// +33145678
	// +4940123456
	// +4930987654
}
