package pbx_test

import (
	"fmt"

	"github.com/sipwerk/sipwerk/service/pbx"
)

// The numbers that a listing shows.
func ExamplePBX_Table() {
	for _, n := range new(pbx.PBX).Table() {
		fmt.Println(n.Dial, n.Names[0], n.Description)
	}
	// Output:
	// *43 echo says back what it hears
	// *44 music plays a melody
}
