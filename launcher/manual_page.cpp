// Help texts turned into man(7): paragraphs, options with their values, sections.
#include "launcher/manual_page.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "launcher/exit_codes.h"
#include "launcher/table.h"
#include "launcher/versions.h"

namespace convoy {
namespace {

constexpr std::size_t kSourceWidth = 72;  // of a line of the source, before escapes

// A hyphen of the source would be set as a dash that cannot be searched for or copied, and the
// others as typographic quotes and accents.
std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '\\':
        safe += "\\e";
        break;
      case '-':
        safe += "\\-";
        break;
      case '`':
        safe += "\\(ga";
        break;
      case '\'':
        safe += "\\(aq";
        break;
      case '^':
        safe += "\\(ha";
        break;
      case '~':
        safe += "\\(ti";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

// A paragraph in lines, none of which is taken for a request.
std::string paragraph(std::string_view text) {
  std::string lines = escaped(wrapped(text, 0, kSourceWidth)) + '\n';
  for (std::size_t at = 0; at < lines.size(); at = lines.find('\n', at) + 1) {
    if (lines[at] == '.') lines.insert(at, "\\&");
  }
  return lines;
}

std::string bold(std::string_view text) { return fmt::format("\\fB{}\\fR", escaped(text)); }
std::string italic(std::string_view text) { return fmt::format("\\fI{}\\fR", escaped(text)); }

// An option's value: words that are typed as they are stand in bold, others name what to type.
std::string value_of(const Option& option) {
  if (option.choices.empty()) return italic(option.placeholder);
  std::string text;
  for (const std::string& choice : option.choices) {
    text += fmt::format("{}{}", text.empty() ? "" : "|", bold(choice));
  }
  return text;
}

std::string entry(const Option& option) {
  std::string head = bold("--" + option.key);
  std::string meaning = option.description;
  if (!option.is_flag()) {
    head += fmt::format(" {}", value_of(option));
    if (const std::string value = option.get(); !value.empty()) {
      meaning += fmt::format(" [{}]", value);
    }
  }
  return fmt::format(".TP\n{}\n{}", head, paragraph(meaning));
}

// The page's first lines, up to and with its name section.
std::string beginning(std::string_view name, std::string_view summary) {
  std::string upper;
  for (const char c : name) upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return fmt::format(".TH {} 1 {} \"Convoy {}\" Convoy\n.SH NAME\n{} \\- {}\n", escaped(upper),
                     convoy_date(), convoy_version(), escaped(name), escaped(summary));
}

// "convoy-show-filters"
std::string page_name(const CommandInfo& info) {
  std::string name = "convoy-" + info.name;
  std::ranges::replace(name, ' ', '-');
  return name;
}

}  // namespace

std::string manual_page(const Commands& commands) {
  std::string text = beginning("convoy", "trains AlexNet on a cluster");
  text += fmt::format(
      ".SH SYNOPSIS\n{} {} [{}]\n.br\n{} [{}]\n.br\n{}\n.SH DESCRIPTION\n{}.SH COMMANDS\n",
      bold("convoy"), italic("COMMAND"), italic("options"), bold("convoy help"), italic("COMMAND"),
      bold("convoy --version"),
      paragraph("Trains AlexNet on one rank or on many, by model or data parallelism, with the "
                "same result under each. mpirun, or convoy launch, starts several ranks."));
  std::string pages;
  for (const auto& command : commands) {
    const CommandInfo& info = command->info();
    text += fmt::format(".TP\n{}\n{}", bold(info.name), paragraph(info.summary));
    pages += fmt::format(".BR {} (1),\n", escaped(page_name(info)));
  }
  text += ".SH EXIT STATUS\n";
  for (const ExitMeaning& exit : kExitMeanings) {
    text += fmt::format(".TP\n{}\n{}", bold(std::to_string(exit.code)), paragraph(exit.meaning));
  }
  return fmt::format("{}.SH SEE ALSO\n{}.BR mpirun (1)\n", text, pages);
}

std::string manual_page(const Command& command) {
  const CommandInfo& info = command.info();
  std::string text = beginning(page_name(info), info.summary);
  text +=
      fmt::format(".SH SYNOPSIS\n{}.SH DESCRIPTION\n{}.SH OPTIONS\nDefaults stand in brackets.\n",
                  paragraph(info.synopsis), paragraph(info.details));
  const OptionTable& table = command.options();
  if (table.find("config") != nullptr) {
    text += paragraph("In the file of --config an option stands without its dashes.");
  }
  for (const std::string& section : table.sections()) {
    if (!section.empty()) text += fmt::format(".SS {}\n", escaped(section));
    for (const Option& option : table.options()) {
      if (option.section() == section) text += entry(option);
    }
  }
  return text + ".SH SEE ALSO\n.BR convoy (1)\n";
}

}  // namespace convoy
