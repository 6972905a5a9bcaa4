// The command `sipwerk` itself: the list of subcommands, the flags of all of them, and the words of the help.

package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/bench"
	"github.com/sipwerk/sipwerk/cmd/sipwerk/telephone"
	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
)

func (p *program) newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "sipwerk",
		Short:         p.Text("A SIP server in one program"),
		Long:          p.Text("Sipwerk registers telephones and connects their calls. `sipwerk demo` shows a first call; `sipwerk serve` is the server."),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.PersistentFlags().String("lang", p.Language(), p.Text("language of the texts: en or de; otherwise that of LANG"))
	root.AddCommand(
		p.newDemo(),
		p.newServe(),
		telephone.NewCall(p.Terminal),
		p.newDial(),
		p.newAccount(),
		p.newObject("group"),
		p.newQueue(),
		p.newObject("menu"),
		p.newObject("page"),
		p.newObject("room", p.newRoomStatus(), p.newRoomInvite()),
		p.newObject("mailbox"),
		p.newVoicemail(),
		p.newTrunk(),
		p.newObject("hours"),
		p.newObject("dialplan"),
		p.newObject("recording", p.newRecordingFiles()),
		p.newMusic(),
		p.newObject("mail", p.newMailTest(), p.newMailQueue()),
		p.newExport(),
		p.newPlan(),
		p.newApply(),
		p.newRoute(),
		p.newCDR(),
		telephone.NewWatch(p.Terminal),
		p.newNumbers(),
		bench.New(p.Terminal),
		p.newCheck(),
		p.newVersion(),
	)
	root.SetFlagErrorFunc(p.flagError)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	root.SetUsageTemplate(p.usageTemplate(root))
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Short = p.Text("Help about a command")
		case "completion":
			c.Short = p.Text("Completion for your shell")
		}
	}
	p.translateHelpFlags(root)
	return root
}

// usageTemplate is cobra's own with its headings translated.
func (p *program) usageTemplate(c *cobra.Command) string {
	t := c.UsageTemplate()
	for _, heading := range []string{"Usage:", "Aliases:", "Examples:", "Available Commands:", "Additional help topics:", "Global Flags:", "Flags:"} {
		t = strings.ReplaceAll(t, heading, p.Text(heading))
	}
	const more = `Use "{{.CommandPath}} [command] --help" for more information about a command.`
	return strings.ReplaceAll(t, more, p.Text(more))
}

// translateHelpFlags gives every command its --help in the language of the user.
func (p *program) translateHelpFlags(c *cobra.Command) {
	c.InitDefaultHelpFlag()
	c.Flags().Lookup("help").Usage = p.Text("help about this command")
	for _, sub := range c.Commands() {
		p.translateHelpFlags(sub)
	}
}

// flagError names the flag that was probably meant by one that a command has not: most often it is one of many, or many of one.
func (p *program) flagError(c *cobra.Command, err error) error {
	unknown, found := strings.CutPrefix(err.Error(), "unknown flag: --")
	name := strings.ReplaceAll(strings.ToLower(unknown), "_", "-")
	for _, meant := range []string{name, name + "s", strings.TrimSuffix(name, "s")} {
		if found && c.Flags().Lookup(meant) != nil {
			return p.Misuse("%v; did you mean --%s?", err, meant)
		}
	}
	return terminal.UsageError{Err: err}
}
