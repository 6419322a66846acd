// Texts and rows of C++ (libc++), classes, references and templates. Built by build.sh.
using size_t = decltype(sizeof 0);

extern "C" void pause_here(int) __attribute__((import_module("env"), import_name("pause")));

// The members that libc++ has in these, without all the rest of it.
namespace std {
inline namespace __2 {
template <class T> struct char_traits {};
template <class T> struct allocator {};
template <class T, class U = char_traits<T>, class A = allocator<T>> class basic_string {
    struct __long { size_t __cap_; size_t __size_; T *__data_; };
    struct __short { unsigned char __size_; T __data_[11]; };
    union __rep { __short __s; __long __l; } __rep_;
  public:
    basic_string(const T *text, size_t length, T *room) {
        if (length < 11) {
            __rep_.__s.__size_ = static_cast<unsigned char>(length << 1);
            for (size_t at = 0; at <= length; at++) __rep_.__s.__data_[at] = text[at];
        } else {
            __rep_.__l.__cap_ = 32 | 1;
            __rep_.__l.__size_ = length;
            for (size_t at = 0; at <= length; at++) room[at] = text[at];
            __rep_.__l.__data_ = room;
        }
    }
    size_t size() const { return __rep_.__s.__size_ & 1 ? __rep_.__l.__size_ : __rep_.__s.__size_ >> 1; }
};
template <class T, class A = allocator<T>> class vector {
    T *__begin_, *__end_, *__end_cap_;
  public:
    vector(T *begin, T *end) : __begin_(begin), __end_(end), __end_cap_(end) {}
    size_t size() const { return static_cast<size_t>(__end_ - __begin_); }
};
}
}

using text = std::basic_string<char>;
static char room[64];

class Context {
  public:
    explicit Context(int id) : id_(id) {}
    virtual ~Context() = default;
    virtual int handle(const text &name, text &&other, std::vector<short> &numbers) __attribute__((noinline));
    enum class State : unsigned char { Idle, Busy };
  protected:
    int id_;
    State state_ = State::Busy;
};

class Root : public Context {
  public:
    explicit Root(int id) : Context(id), ratio_(1.5) {}
    int handle(const text &name, text &&other, std::vector<short> &numbers) override __attribute__((noinline));
  private:
    double ratio_;
};

int Context::handle(const text &name, text &&other, std::vector<short> &numbers) {
    int size = static_cast<int>(name.size() + other.size() + numbers.size());
    pause_here(size);
    return size + id_;
}

template <typename T> __attribute__((noinline)) T twice(T value) {
    T result = value + value;
    pause_here(static_cast<int>(result));
    return result;
}

int Root::handle(const text &name, text &&other, std::vector<short> &numbers) {
    auto add = [&](int more) { pause_here(more); return id_ + more; };
    int Context::*member = nullptr;
    return Context::handle(name, static_cast<text &&>(other), numbers) + add(3) + (member == nullptr);
}

void operator delete(void *, size_t) noexcept {}
void operator delete(void *) noexcept {}

extern "C" __attribute__((export_name("run"))) int run(int argument) {
    short numbers[3] = {1, 2, static_cast<short>(argument)};
    std::vector<short> row(numbers, numbers + 3);
    text shorter("short", 5, room), longer("a text that is too long", 23, room);
    Root root(argument);
    return root.handle(shorter, static_cast<text &&>(longer), row) + static_cast<int>(twice(2.5)) + twice(argument);
}
