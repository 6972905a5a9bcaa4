// Command xref prints, for each section of each RFC, the code and the tests that cite it, and fails on a citation of an RFC that
// rfc/index.txt does not list or a claim that no test backs.
//
//	go run ./rfc/xref                              the cross-reference
//	go run ./rfc/xref -page docs/compliance.md     write the compliance page
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"

	"github.com/sipwerk/sipwerk/rfc"
)

func main() {
	page := flag.String("page", "", "write the compliance page to this file instead of printing")
	flag.Parse()
	if err := run(*page); err != nil {
		fmt.Fprintln(os.Stderr, "xref:", err)
		os.Exit(1)
	}
}

func run(page string) error {
	text, err := os.ReadFile("rfc/index.txt")
	if err != nil {
		return fmt.Errorf("run it in the folder of go.mod: %w", err)
	}
	index, err := rfc.Read(bytes.NewReader(text))
	if err != nil {
		return err
	}
	cited, err := rfc.Scan(os.DirFS("."))
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if page == "" {
		err = rfc.Print(os.Stdout, index, cited)
	} else if err = rfc.Page(&out, index, cited); err == nil {
		err = os.WriteFile(page, out.Bytes(), 0o644)
	}
	if err != nil {
		return err
	}
	faults := rfc.Check(index, cited)
	for _, f := range faults {
		fmt.Fprintln(os.Stderr, f)
	}
	if len(faults) > 0 {
		return fmt.Errorf("%d faults", len(faults))
	}
	return nil
}
